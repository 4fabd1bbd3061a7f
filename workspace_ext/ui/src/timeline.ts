import type { InvestigationState, QuerySummary, Step } from './types';

/** One line of the story: a cell's run with its queries, or a query that no captured run made. */
export interface Entry {
  key: string;
  at: string;
  cell: string | null;
  step: Step | null;
  queries: QuerySummary[];
}

/** The whole story, newest first. */
export function timeline(state: InvestigationState): Entry[] {
  const joined = new Set<string>();
  const entries: Entry[] = Object.values(state.steps).map(step => {
    const queries = step.queries.flatMap(id => state.queries[id] ?? []);
    queries.forEach(query => joined.add(query.id));
    return { key: step.id, at: step.started, cell: step.cell, step, queries };
  });
  for (const query of Object.values(state.queries)) {
    if (!joined.has(query.id)) {
      entries.push({
        key: query.id,
        at: query.at,
        cell: query.cell,
        step: null,
        queries: [query]
      });
    }
  }
  return entries.sort((a, b) => instant(b.at) - instant(a.at) || order(b) - order(a));
}

function instant(time: string): number {
  return Date.parse(time);
}

function order(entry: Entry): number {
  return entry.step?.seq ?? 0;
}
