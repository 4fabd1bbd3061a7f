import { compared } from '../beginning/window';
import type { InvestigationState, QuerySummary, WindowDict } from '../types';
import type { Stale } from './run';

type Scope = Pick<InvestigationState, 'window' | 'baseline'>;

/**
 * What moved under a query since it was asked: the investigation's window or baseline, where it
 * took them from there, or the answer that it follows from.
 */
export function moved(
  state: Pick<InvestigationState, 'queries' | keyof Scope>,
  query: string
): Stale[] {
  const asked = state.queries[query];
  if (!asked) {
    return [];
  }
  const now = moments(state);
  const isElsewhere = (asked.scoped ?? []).some(
    name => key(asked.params[name]) !== key(now[name] ?? null)
  );
  return [
    ...(isElsewhere ? (['scope'] as const) : []),
    ...(isOvertaken(state.queries, asked) ? (['parent'] as const) : [])
  ];
}

/** Whether the cell of the answer before asked the same again, and was told otherwise. */
function isOvertaken(
  queries: Readonly<Record<string, QuerySummary>>,
  asked: QuerySummary
): boolean {
  const parent = asked.parent ? queries[asked.parent] : undefined;
  return (
    parent !== undefined &&
    parent.cell !== null &&
    Object.values(queries).some(
      each =>
        each.cell === parent.cell &&
        each.at > parent.at &&
        each.ok &&
        each.template?.id === parent.template?.id &&
        each.digest !== parent.digest
    )
  );
}

/** The scope by the names that parameters have for it; a baseline that is not set, as it stands. */
function moments({ window, baseline }: Scope): Record<string, unknown> {
  const standing = baseline ?? (window && compared(window, 'before'));
  return {
    window,
    baseline: standing,
    window_start: window?.start,
    window_end: window?.end,
    baseline_start: standing?.start,
    baseline_end: standing?.end
  };
}

/** The same for all ways to write a moment or a window. */
function key(value: unknown): string {
  if (typeof value === 'string') {
    return String(Date.parse(value));
  }
  const { start, end } = (value ?? {}) as Partial<WindowDict>;
  return `${Date.parse(start ?? '')} ${Date.parse(end ?? '')}`;
}
