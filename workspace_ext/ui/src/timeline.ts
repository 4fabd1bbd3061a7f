import type { InvestigationState, QuerySummary, Step } from './types';

/** Something that a person put on record in a cell. */
export interface Saying {
  kind: 'Hypothesis' | 'Note' | 'Finding' | 'Decision' | 'Conclusion';
  text: string;
}

/** One line of the story: a cell's run with what came of it, or a query that no captured run made. */
export interface Entry {
  key: string;
  at: string;
  cell: string | null;
  step: Step | null;
  queries: QuerySummary[];
  sayings: Saying[];
}

/** The whole story, newest first. */
export function timeline(state: InvestigationState): Entry[] {
  const joined = new Set<string>();
  const said = allSaid(state);
  const entries: Entry[] = Object.values(state.steps).map(step => {
    const queries = step.queries.flatMap(id => state.queries[id] ?? []);
    queries.forEach(query => joined.add(query.id));
    const sayings = said.filter(saying => isOf(step, saying));
    return { key: step.id, at: step.started, cell: step.cell, step, queries, sayings };
  });
  for (const query of Object.values(state.queries)) {
    if (!joined.has(query.id)) {
      entries.push({
        key: query.id,
        at: query.at,
        cell: query.cell,
        step: null,
        queries: [query],
        sayings: []
      });
    }
  }
  return entries.sort((a, b) => instant(b.at) - instant(a.at) || order(b) - order(a));
}

/** The error of a run, unless it is that of a query in it, which tells it already. */
export function errorBesides(step: Step | null, queries: QuerySummary[]): string | null {
  const error = step?.error ?? null;
  return queries.some(query => query.error && error?.includes(query.error)) ? null : error;
}

interface Said extends Saying {
  cell: string | null;
  at: string;
}

const KINDS = { note: 'Note', finding: 'Finding', decision: 'Decision' } as const;

function allSaid(state: InvestigationState): Said[] {
  const { hypotheses, notes, conclusion } = state;
  return [
    ...Object.values(hypotheses).map(one => ({ ...one, kind: 'Hypothesis' as const })),
    ...Object.values(notes).map(one => ({
      ...one,
      kind: KINDS[one.kind]
    })),
    ...(conclusion
      ? [{ ...conclusion, kind: 'Conclusion' as const, text: conclusion.root_cause }]
      : [])
  ];
}

/** A cell runs again and again: what was said belongs to the run that it fell into. */
function isOf(step: Step, said: Said): boolean {
  const ended = step.ended === null ? Infinity : instant(step.ended);
  const at = instant(said.at);
  return said.cell === step.cell && at >= instant(step.started) && at <= ended;
}

function instant(time: string): number {
  return Date.parse(time);
}

function order(entry: Entry): number {
  return entry.step?.seq ?? 0;
}
