import type { InvestigationState, TemplateInfo, TemplateParam, WindowDict } from '../types';

/** What stands in a field: text as typed, or two moments (RFC 3339, either may be empty). */
export type Value = string | WindowDict;

/** What a person gave, by parameter; what is not in it stands as template and scope say. */
export type Given = Record<string, Value>;

/** What an investigation says of the question at hand. */
export type Scope = Pick<InvestigationState, 'window' | 'baseline' | 'services'>;

export const NO_SCOPE: Scope = { window: null, baseline: null, services: [] };

export const isWindow = (value: unknown): value is WindowDict =>
  typeof value === 'object' && value !== null && 'start' in value && 'end' in value;

/**
 * What a parameter is when nobody gives it, exactly as the broker fills it in: a window from the
 * scope, a baseline from the scope or else the time just before the window.
 */
export function standing(param: TemplateParam, scope: Scope, given: Given): Value {
  if (param.type !== 'window') {
    return param.default === null ? '' : String(param.default);
  }
  if (param.name !== 'baseline') {
    return scope.window ?? NO_WINDOW;
  }
  const window = isWindow(given['window']) ? given['window'] : scope.window;
  return scope.baseline ?? (window ? before(window) : NO_WINDOW);
}

/** What a field shows. */
export function shown(param: TemplateParam, scope: Scope, given: Given): Value {
  return given[param.name] ?? standing(param, scope, given);
}

/** What was given and says something else than what stands without it. */
export function differing(template: TemplateInfo, scope: Scope, given: Given): Given {
  const entries = template.params.flatMap(param => {
    const value = given[param.name];
    const stands = standing(param, scope, given);
    const says = value !== undefined && value !== '' && !same(param, value, stands);
    return says ? [[param.name, value] as const] : [];
  });
  return Object.fromEntries(entries);
}

/** What a form begins with: the scope's only service, where one must be given. */
export function beginning(template: TemplateInfo, scope: Scope): Given {
  const [service, ...others] = scope.services;
  const wanting = template.params.find(param => param.type === 'service' && param.required);
  return wanting && service && others.length === 0 ? { [wanting.name]: service } : {};
}

/** The form of a question that was asked before: its parameters as they were recorded. */
export function captured(
  template: TemplateInfo,
  params: Readonly<Record<string, unknown>>,
  scope: Scope
): Given {
  const given: Given = {};
  for (const param of template.params) {
    const value = params[param.name];
    if (value !== null && value !== undefined) {
      given[param.name] = written(param, value);
    }
  }
  return differing(template, scope, given);
}

/**
 * What the next question takes over from this one: its `$parameters` as they are given, and values
 * (`'text'`, numbers, truths). What comes from a column of a row is for whoever has the row.
 */
export function carried(
  from: TemplateInfo,
  to: TemplateInfo,
  params: Readonly<Record<string, unknown>>,
  given: Given
): Given {
  const found = to.params.flatMap(({ name }) => {
    const said = params[name];
    const source = from.params.find(each => said === `$${each.name}`);
    const value = source ? given[source.name] : literal(said);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(found);
}

function literal(said: unknown): string | undefined {
  if (typeof said === 'string') {
    return /^'.*'$/.test(said) ? said.slice(1, -1) : undefined;
  }
  return typeof said === 'number' || typeof said === 'boolean' ? String(said) : undefined;
}

function written(param: TemplateParam, value: unknown): Value {
  if (isWindow(value)) {
    return { start: String(value.start), end: String(value.end) };
  }
  // Durations are recorded in seconds, and numbers of a notebook's metadata as their text.
  return param.type === 'duration' ? `${Number(value)}s` : String(value);
}

function same(param: TemplateParam, one: Value, other: Value): boolean {
  if (isWindow(one) || isWindow(other)) {
    return (
      isWindow(one) &&
      isWindow(other) &&
      Date.parse(one.start) === Date.parse(other.start) &&
      Date.parse(one.end) === Date.parse(other.end)
    );
  }
  if (param.type === 'int' || param.type === 'float') {
    return one !== '' && other !== '' && Number(one) === Number(other);
  }
  if (param.type === 'duration') {
    return seconds(one) === seconds(other);
  }
  return one === other;
}

/** Seconds, from text such as `500ms`, `30s`, `5m`, `2h`, `1d` or a bare number; else NaN. */
export function seconds(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(text.trim());
  return match ? Number(match[1]) * SECONDS[match[2] ?? 's']! : NaN;
}

const SECONDS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };
const NO_WINDOW: WindowDict = { start: '', end: '' };

/** The window of equal length that ends where this one starts. */
function before(window: WindowDict): WindowDict {
  const start = Date.parse(window.start);
  const length = Date.parse(window.end) - start;
  return length > 0
    ? { start: new Date(start - length).toISOString().replace('.000Z', 'Z'), end: window.start }
    : NO_WINDOW;
}
