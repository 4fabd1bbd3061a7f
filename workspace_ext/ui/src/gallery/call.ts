import type { TemplateInfo, TemplateParam } from '../types';
import { differing, isWindow, type Given, type Scope, type Value } from './values';

/**
 * The Python that asks a template: readable, with only what differs from template and scope.
 *
 * @param prelude a line before it, for kernels that do not bring the investigation along
 * @param follows the answer that led to it, as the record is told
 */
export function call(
  template: TemplateInfo,
  scope: Scope,
  given: Given,
  prelude = '',
  follows = ''
): string {
  const wanted = differing(template, scope, given);
  const named = template.params.flatMap(param => {
    const value = wanted[param.name];
    return value === undefined ? [] : [argument(param, value)];
  });
  const path = follows ? [`follows=${text(follows)}`] : [];
  const args = [text(template.id), ...named, ...path];
  const line = `investigation.run(${args.join(', ')})`;
  const code =
    line.length <= WIDTH
      ? line
      : `investigation.run(\n${args.map(each => `    ${each},`).join('\n')}\n)`;
  return prelude ? `${prelude}\n${code}` : code;
}

function argument(param: TemplateParam, value: Value): string {
  const said = literal(param, value);
  return KEYWORDS.has(param.name) ? `**{${text(param.name)}: ${said}}` : `${param.name}=${said}`;
}

function literal(param: TemplateParam, value: Value): string {
  if (isWindow(value)) {
    return text(`${value.start}/${value.end}`);
  }
  switch (param.type) {
    case 'int':
      return BigInt(value.trim().replace('+', '')).toString(); // 007 would be no Python
    case 'float':
      return String(Number(value));
    case 'bool':
      return value === 'true' ? 'True' : 'False';
    case 'duration':
      return text(value.trim());
    default:
      return text(value);
  }
}

/** JSON's escapes are Python's as well. */
function text(value: string): string {
  return JSON.stringify(value);
}

/** Fits beside two sidebars. */
const WIDTH = 72;

/** Python's, as far as a parameter may have their name. */
const KEYWORDS = new Set(
  (
    'and as assert async await break class continue def del elif else except finally for from ' +
    'global if import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' ')
);
