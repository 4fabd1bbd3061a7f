import type { Batch, DataOverview } from '../types';

/** Everything that came in under one name in one format. */
export interface Source {
  name: string;
  format: string;
  /** When the last of it came. */
  last: string;
  /** The time of its newest record. */
  newest: string | null;
  records: number;
  quarantined: number;
  warnings: string[];
}

/** The sources of the newest batches, those that sent last first. */
export function sources(batches: Batch[]): Source[] {
  const found = new Map<string, Source>();
  for (const batch of batches) {
    const key = `${batch.format} ${batch.name}`;
    const known = found.get(key);
    if (known) {
      known.records += batch.records;
      known.quarantined += batch.quarantined;
      known.warnings = [...new Set([...known.warnings, ...batch.warnings])];
      known.newest = later(known.newest, batch.last_time);
    } else {
      found.set(key, {
        name: batch.name,
        format: batch.format,
        last: batch.committed_at,
        newest: batch.last_time,
        records: batch.records,
        quarantined: batch.quarantined,
        warnings: [...batch.warnings]
      });
    }
  }
  return [...found.values()];
}

/** Whether nothing was ever received. */
export function isEmpty(overview: DataOverview): boolean {
  return Object.values(overview.signals).every(signal => signal.rows === 0);
}

/** A size in bytes as people read it. */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let left = bytes;
  let unit = 0;
  while (left >= 1000 && unit < units.length - 1) {
    left /= 1000;
    unit += 1;
  }
  return `${left >= 10 || unit === 0 ? Math.round(left) : left.toFixed(1)} ${units[unit]}`;
}

function later(a: string | null, b: string | null): string | null {
  return a === null || (b !== null && Date.parse(b) > Date.parse(a)) ? b : a;
}
