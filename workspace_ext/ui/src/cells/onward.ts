import { figure } from '../format';
import { trans } from '../translation';
import type { QuerySummary } from '../types';
import { isWindow } from '../gallery/values';

/** A question that an answer leads to, with its inputs filled in. */
export interface Proposal {
  template: string;
  title: string;
  question: string;
  params: Record<string, unknown>;
  /** The answer it follows from, as `investigation.run(…, follows=…)` has it. */
  follows: string;
}

/** What the metadata of an output tell of where its answer leads. */
interface Told {
  query: string;
  template: string;
  next: Omit<Proposal, 'follows'>[];
}

/** So many are offered below one cell. */
const MOST = 6;

/** So much of a query's id tells it from the others of its template. */
const SHORT_ID = 6;

/**
 * What a cell's answers lead to, each question once.
 *
 * @param metadata of its outputs, which may come from anywhere
 * @param queries those of the investigation
 */
export function proposals(
  metadata: readonly unknown[],
  queries: Readonly<Record<string, QuerySummary>>
): Proposal[] {
  const found = new Map<string, Proposal>();
  for (const told of metadata.flatMap(each => readTold(each) ?? [])) {
    const follows = named(told, queries);
    for (const each of told.next) {
      found.set(`${each.template} ${JSON.stringify(each.params)}`, { ...each, follows });
    }
  }
  return [...found.values()].slice(0, MOST);
}

/** What a proposal is called on its button: its title, and the service that it is about. */
export function proposalLabel({ title, params }: Proposal): string {
  const service = params['service'];
  return typeof service === 'string' ? `${title} · ${service}` : title;
}

/** What exactly it asks. */
export function proposalHint({ question, params }: Proposal): string {
  const inputs = Object.entries(params)
    .filter(([, value]) => value !== null && !isWindow(value))
    .map(([name, value]) => `${name} = ${typeof value === 'number' ? figure(value) : value}`);
  return [question, ...inputs, trans.__('Runs it in a cell below.')].join('\n');
}

/** The answer's template, and of several answers that it gave, which one. */
function named(told: Told, queries: Readonly<Record<string, QuerySummary>>): string {
  const same = Object.values(queries).filter(
    query => query.ok && query.template?.id === told.template
  );
  const newest = same.reduce<QuerySummary | null>(
    (latest, query) => (latest === null || query.at >= latest.at ? query : latest),
    null
  );
  return newest === null || newest.id === told.query
    ? told.template
    : `${told.template}#${told.query.slice(0, SHORT_ID)}`;
}

function readTold(metadata: unknown): Told | null {
  const { query, template, next } = record(record(metadata)['investigation']);
  if (typeof query !== 'string' || typeof template !== 'string' || !Array.isArray(next)) {
    return null;
  }
  return { query, template, next: next.flatMap(readNext) };
}

function readNext(value: unknown): Omit<Proposal, 'follows'>[] {
  const { template, title, question, params } = record(value);
  return typeof template === 'string' && typeof title === 'string'
    ? [{ template, title, question: String(question ?? ''), params: record(params) }]
    : [];
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
