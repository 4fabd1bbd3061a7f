/** The last finished run of a cell, as the cell's own metadata tell it. */
export interface LastRun {
  run: string;
  by: string;
  at: string;
  ok: boolean;
  sourceDigest: string;
  /** Of its last query; null when it asked none. */
  pin: number | null;
  /** What its last query's answer was; null where nobody judges. */
  interesting: boolean | null;
  queries: number;
  /** Its last query; empty when it asked none. */
  query: string;
}

/** What a cell says of itself under our key. */
export interface CellRecord {
  uid: string;
  role: string;
  last: LastRun | null;
  /** What the last replay of its archive said; empty without one. */
  replay: string;
}

/** Why a result may not be true any more. */
export type Stale = 'source' | 'pin' | 'scope' | 'parent';

/** Reads a cell's metadata; null when they are not ours, or make no sense. */
export function readCell(metadata: unknown): CellRecord | null {
  const found = record(metadata);
  const uid = text(found['uid']);
  if (!uid) {
    return null;
  }
  return {
    uid,
    role: text(found['role']),
    last: readLast(record(found['last'])),
    replay: text(record(found['replay'])['verdict'])
  };
}

/**
 * Why a run's result may be out of date: its code was changed, the pin moved on, or an input.
 *
 * @param inputs see `moved`
 */
export function staleness(
  run: LastRun,
  sourceDigest: string,
  pin: number,
  inputs: readonly Stale[] = []
): Stale[] {
  const found: Stale[] = [];
  if (run.sourceDigest !== sourceDigest) {
    found.push('source');
  }
  if (run.pin !== null && run.pin < pin) {
    found.push('pin');
  }
  return [...found, ...inputs];
}

function readLast(last: Record<string, unknown>): LastRun | null {
  const run = text(last['run']);
  const at = text(last['at']);
  if (!run || Number.isNaN(Date.parse(at))) {
    return null;
  }
  const { pin, interesting, queries } = last;
  return {
    run,
    at,
    by: text(last['by']),
    ok: last['ok'] === true,
    sourceDigest: text(last['source_digest']),
    pin: typeof pin === 'number' ? pin : null,
    interesting: typeof interesting === 'boolean' ? interesting : null,
    queries: typeof queries === 'number' ? queries : 0,
    query: text(last['query'])
  };
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
