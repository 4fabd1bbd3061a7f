import type { TemplateInfo } from '../types';

/** What somebody looks for; empty text means anything. */
export interface Search {
  words: string;
  area: string;
  signal: string;
}

export const EVERYTHING: Search = { words: '', area: '', signal: '' };

/** The part of an id before its last dot: what the question is about. */
export function area(template: TemplateInfo): string {
  return template.id.slice(0, template.id.lastIndexOf('.'));
}

/** The tables that a template cannot do without. */
export function signals(template: TemplateInfo): string[] {
  return [...new Set(template.requires.map(column => column.split('.')[0] ?? ''))].sort();
}

/** All areas, or all signals, that there are. */
export function choices(
  templates: readonly TemplateInfo[],
  of: (template: TemplateInfo) => string | string[]
): string[] {
  return [...new Set(templates.flatMap(of))].sort();
}

/** Those with all the words, the best first; deprecated ones last. */
export function found(templates: readonly TemplateInfo[], search: Search): TemplateInfo[] {
  const words = search.words.toLowerCase().split(/\s+/).filter(Boolean);
  return templates
    .filter(
      template =>
        (search.area === '' || area(template) === search.area) &&
        (search.signal === '' || signals(template).includes(search.signal))
    )
    .map(template => ({ template, points: points(template, words) }))
    .filter(({ points }) => points > 0)
    .sort((a, b) => b.points - a.points || order(a.template).localeCompare(order(b.template)))
    .map(({ template }) => template);
}

/** By id; the questions that one begins with come first. */
function order({ id }: TemplateInfo): string {
  return id.startsWith('triage.') ? ` ${id}` : id;
}

/** How well all words are met, each at its best place; 0 when one is not met at all. */
function points(template: TemplateInfo, words: readonly string[]): number {
  const places: [string, number][] = [
    [template.title, 8],
    [template.id, 8],
    [template.question, 4],
    [[...template.covers, ...template.requires].join(' '), 2],
    [[...Object.keys(template.returns), ...template.params.map(param => param.name)].join(' '), 1]
  ];
  const met = words.map(word =>
    Math.max(...places.map(([text, weight]) => weight * match(text.toLowerCase(), word)))
  );
  if (met.some(each => each === 0)) {
    return 0;
  }
  const sum = met.reduce((all, each) => all + each, 1);
  return template.status === 'deprecated' ? sum / 1000 : sum;
}

/** 2 at a word's beginning, 1 within one. */
function match(text: string, word: string): number {
  const at = text.indexOf(word);
  if (at < 0) {
    return 0;
  }
  return new RegExp(`(^|[^a-z0-9])${word.replace(/[^a-z0-9]/g, '\\$&')}`).test(text) ? 2 : 1;
}
