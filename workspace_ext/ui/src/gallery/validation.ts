import { trans } from '../translation';
import type { TemplateInfo, TemplateParam, WindowDict } from '../types';
import { isWindow, seconds, shown, type Given, type Scope } from './values';

/** What is wrong with a form, by parameter; empty when it can be asked. */
export type Wrong = Record<string, string>;

/** Checks a form by the header's own rules, which the broker checks again. */
export function wrong(
  template: TemplateInfo,
  scope: Scope,
  given: Given,
  services: readonly string[]
): Wrong {
  const found: Wrong = {};
  for (const param of template.params) {
    const what = check(param, shown(param, scope, given), services);
    if (what !== null) {
      found[param.name] = what;
    }
  }
  if ('window' in found && !('baseline' in given)) {
    delete found['baseline']; // it follows from the window, which is asked for already
  }
  return found;
}

function check(
  param: TemplateParam,
  value: string | WindowDict,
  services: readonly string[]
): string | null {
  if (isWindow(value)) {
    return checkWindow(value);
  }
  if (value.trim() === '') {
    return param.required ? trans.__('A value is needed.') : null;
  }
  switch (param.type) {
    case 'int':
      return WHOLE.test(value.trim())
        ? checkRange(param, Number(value))
        : trans.__('This is not a whole number.');
    case 'float':
      return NUMBER.test(value.trim()) && Number.isFinite(Number(value))
        ? checkRange(param, Number(value))
        : trans.__('This is not a number.');
    case 'duration':
      return seconds(value) > 0
        ? checkRange(param, seconds(value))
        : trans.__('This is not a duration (as in 500ms, 30s, 5m, 2h).');
    case 'bool':
      return value === 'true' || value === 'false' ? null : trans.__('Choose yes or no.');
    case 'choice':
      return param.of.includes(value)
        ? null
        : trans.__('There is no such choice: %1.', param.of.join(', '));
    case 'service':
      return services.length === 0 || services.includes(value) ? null : unknown(value, services);
    default:
      return null;
  }
}

function checkWindow({ start, end }: WindowDict): string | null {
  if (start === '' && end === '') {
    return trans.__('The investigation has no window yet: say when.');
  }
  const [from, to] = [Date.parse(start), Date.parse(end)];
  if (Number.isNaN(from) || Number.isNaN(to)) {
    return trans.__('Both a start and an end are needed.');
  }
  return from < to ? null : trans.__('The end must come after the start.');
}

function checkRange({ min, max }: TemplateParam, value: number): string | null {
  if (min !== null && value < min) {
    return trans.__('%1 is below %2.', value, min);
  }
  return max !== null && value > max ? trans.__('%1 is above %2.', value, max) : null;
}

function unknown(value: string, services: readonly string[]): string {
  const part = value.toLowerCase();
  const near = services.filter(name => name.toLowerCase().includes(part)).slice(0, 3);
  const said = trans.__('No service of this name is in the data.');
  return near.length > 0 ? `${said} ${trans.__('Did you mean %1?', near.join(', '))}` : said;
}

const WHOLE = /^[+-]?\d{1,18}$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
