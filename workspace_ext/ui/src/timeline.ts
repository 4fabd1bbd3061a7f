import type { Happening, InvestigationState, QuerySummary, Step } from './types';

/** Something that a person put on record, in a cell or in the panel. */
export interface Saying {
  kind: 'Hypothesis' | 'Note' | 'Finding' | 'Decision' | 'Conclusion' | 'Action' | 'Pin';
  text: string;
}

/** What a line can be looked for by. */
export type Kind = 'run' | 'answer' | 'said' | 'action' | 'telemetry';

/**
 * One line of the story: a cell's run with what came of it, a query that no captured run made,
 * something that was said, or an alert, a deploy and the like.
 */
export interface Entry {
  key: string;
  at: string;
  by: string | null;
  cell: string | null;
  kinds: Kind[];
  step: Step | null;
  queries: QuerySummary[];
  sayings: Saying[];
  happening: Happening | null;
}

/** What is wanted of a timeline; null for all of it. */
export interface Filter {
  kind: Kind | null;
  person: string | null;
}

/** The whole story, newest first. */
export function timeline(state: InvestigationState, happenings: Happening[] = []): Entry[] {
  const joined = new Set<string>();
  const said = byCell(allSaid(state));
  const entries = Object.values(state.steps).map(step => {
    const queries = step.queries.flatMap(id => state.queries[id] ?? []);
    queries.forEach(query => joined.add(query.id));
    return ofStep(step, queries, take(said.get(step.cell), step));
  });
  for (const query of Object.values(state.queries)) {
    if (!joined.has(query.id)) {
      const kinds: Kind[] = ['answer'];
      entries.push({
        ...NOTHING,
        key: query.id,
        at: query.at,
        cell: query.cell,
        kinds,
        queries: [query]
      });
    }
  }
  for (const left of said.values()) {
    entries.push(...left.filter(saying => !saying.taken).map(ofSaying));
  }
  entries.push(...happenings.map(ofHappening));
  return sorted(entries);
}

/** Those that are wanted. */
export function filtered(entries: Entry[], { kind, person }: Filter): Entry[] {
  return entries.filter(
    entry =>
      (kind === null || entry.kinds.includes(kind)) && (person === null || entry.by === person)
  );
}

/** Everybody who did something, by name. */
export function authors(entries: Entry[]): string[] {
  return [...new Set(entries.flatMap(entry => entry.by ?? []))].sort();
}

/** The error of a run, unless it is that of a query in it, which tells it already. */
export function errorBesides(step: Step | null, queries: QuerySummary[]): string | null {
  const error = step?.error ?? null;
  return queries.some(query => query.error && error?.includes(query.error)) ? null : error;
}

interface Said extends Saying {
  key: string;
  by: string;
  cell: string | null;
  at: string;
  taken: boolean;
}

const NOTHING: Omit<Entry, 'key' | 'at' | 'kinds'> = {
  by: null,
  cell: null,
  step: null,
  queries: [],
  sayings: [],
  happening: null
};

const KINDS = { note: 'Note', finding: 'Finding', decision: 'Decision' } as const;

function ofStep(step: Step, queries: QuerySummary[], sayings: Said[]): Entry {
  const kinds: Kind[] = ['run'];
  if (queries.length > 0) {
    kinds.push('answer');
  }
  if (sayings.length > 0) {
    kinds.push('said');
  }
  if (sayings.some(saying => saying.kind === 'Action')) {
    kinds.push('action');
  }
  const { id: key, started: at, by, cell } = step;
  return { ...NOTHING, key, at, by, cell, kinds, step, queries, sayings };
}

function ofSaying({ key, at, by, cell, kind, text }: Said): Entry {
  const kinds: Kind[] = kind === 'Action' ? ['said', 'action'] : ['said'];
  return { ...NOTHING, key, at, by, cell, kinds, sayings: [{ kind, text }] };
}

function ofHappening(happening: Happening, number: number): Entry {
  const key = `telemetry ${number} ${happening.time}`;
  return { ...NOTHING, key, at: happening.time, kinds: ['telemetry'], happening };
}

function allSaid(state: InvestigationState): Said[] {
  const { hypotheses, notes, actions, conclusion, pinned, pin } = state;
  const taken = false;
  return [
    ...Object.values(hypotheses).map(one => ({
      ...one,
      kind: 'Hypothesis' as const,
      key: `hypothesis ${one.id}`,
      taken
    })),
    ...Object.values(notes).map(one => ({
      ...one,
      kind: KINDS[one.kind],
      key: `note ${one.id}`,
      taken
    })),
    ...Object.values(actions).map(one => ({
      ...one,
      kind: 'Action' as const,
      key: `action ${one.id}`,
      taken
    })),
    ...(conclusion
      ? [
          {
            ...conclusion,
            kind: 'Conclusion' as const,
            key: 'conclusion',
            text: conclusion.root_cause,
            taken
          }
        ]
      : []),
    ...(pinned
      ? [
          {
            ...pinned,
            kind: 'Pin' as const,
            key: 'pin',
            text: `${pin}: ${pinned.why}`,
            cell: null,
            taken
          }
        ]
      : [])
  ];
}

function byCell(said: Said[]): Map<string | null, Said[]> {
  const found = new Map<string | null, Said[]>();
  for (const saying of said) {
    const those = found.get(saying.cell);
    if (those) {
      those.push(saying);
    } else {
      found.set(saying.cell, [saying]);
    }
  }
  return found;
}

/** A cell runs again and again: what was said belongs to the run that it fell into. */
function take(said: Said[] | undefined, step: Step): Said[] {
  if (!said) {
    return [];
  }
  const started = instant(step.started);
  const ended = step.ended === null ? Infinity : instant(step.ended);
  const own = said.filter(({ at }) => instant(at) >= started && instant(at) <= ended);
  own.forEach(saying => (saying.taken = true));
  return own;
}

function sorted(entries: Entry[]): Entry[] {
  return entries
    .map(entry => ({ entry, at: instant(entry.at), seq: entry.step?.seq ?? 0 }))
    .sort((a, b) => b.at - a.at || b.seq - a.seq)
    .map(({ entry }) => entry);
}

function instant(time: string): number {
  return Date.parse(time);
}
