import type { WindowDict } from '../types';

/** A piece of a statement: SQL as it was written, or a parameter with what was bound to it. */
export interface Piece {
  text: string;
  /** Null where it is SQL. */
  name: string | null;
}

/**
 * A statement with the values that were bound.
 *
 * A window is two parameters in SQL: its name with `_start` and `_end`. A name that nothing was
 * bound to stays as it is written.
 */
export function boundPieces(statement: string, params: Record<string, unknown>): Piece[] {
  const values = bound(params);
  return statement
    .split(/(\$[A-Za-z_]\w*)/)
    .filter(text => text !== '')
    .map(text => {
      const name = text.startsWith('$') ? text.slice(1) : '';
      return name in values ? { text: written(values[name]), name } : { text, name: null };
    });
}

/** A value as SQL would have it. */
export function written(value: unknown): string {
  if (typeof value === 'string') {
    return `'${value.replaceAll("'", "''")}'`;
  }
  return value === null || value === undefined ? 'NULL' : JSON.stringify(value);
}

function bound(params: Record<string, unknown>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(params)) {
    const window = value as Partial<WindowDict> | null;
    if (typeof window === 'object' && window?.start && window.end) {
      values[`${name}_start`] = window.start;
      values[`${name}_end`] = window.end;
    }
    values[name] = value;
  }
  return values;
}
