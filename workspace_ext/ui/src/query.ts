import { rowCount, utcWindow } from './format';
import { trans } from './translation';
import type { QuerySummary, WindowDict } from './types';

/** What a query is called in a line: its title, and the service that it is about. */
export function headline(query: QuerySummary): string {
  if (!query.template) {
    return query.title || trans.__('SQL');
  }
  const title = query.title || query.template.id;
  const service = query.params['service'];
  return typeof service === 'string' ? `${title} · ${service}` : title;
}

/** How many rows an answer has, and what a template's rule says of them. */
export function outcome({ rows, template, reason }: QuerySummary): string {
  if (rows === 0) {
    return trans.__('no rows');
  }
  return template && reason ? `${rowCount(rows)} · ${reason}` : rowCount(rows);
}

/** What exactly was asked: template or SQL, and each parameter that was given or stood by default. */
export function wording(query: QuerySummary): string {
  const { template, sql, params } = query;
  const source = template
    ? trans.__('%1, version %2', template.id, template.version)
    : (sql ?? trans.__('SQL'));
  const given = Object.entries(params).filter(([, value]) => value !== null);
  return [source, ...given.map(([name, value]) => `${name} = ${written(value)}`)].join('\n');
}

/** The answers that led to a query, the first one first. */
export function pathTo(
  queries: Readonly<Record<string, QuerySummary>>,
  query: QuerySummary
): QuerySummary[] {
  const found: QuerySummary[] = [];
  let before = queries[query.parent ?? ''];
  while (before && !found.includes(before)) {
    found.unshift(before);
    before = queries[before.parent ?? ''];
  }
  return found;
}

/** The queries that an answer led to, in the order in which they were asked. */
export function ledTo(
  queries: Readonly<Record<string, QuerySummary>>,
  query: QuerySummary
): QuerySummary[] {
  return Object.values(queries)
    .filter(({ parent }) => parent === query.id)
    .sort((a, b) => a.at.localeCompare(b.at));
}

function written(value: unknown): string {
  const window = value as Partial<WindowDict>;
  if (typeof window === 'object' && window.start && window.end) {
    return utcWindow({ start: window.start, end: window.end });
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}
