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
  const words = wanted(search);
  return best(within(templates, search), template => {
    const met = words.map(word => points(template, word));
    return met.includes(0) ? 0 : 1 + sum(met);
  });
}

/** Those with some of the words that tell templates apart: for whoever asks in sentences. */
export function closest(templates: readonly TemplateInfo[], search: Search): TemplateInfo[] {
  const among = within(templates, search);
  const most = Math.max(FEW, among.length / 3);
  const telling = wanted(search)
    .filter(word => word.length >= SHORTEST)
    .map(word => word.replace(ENDING, '$1'))
    .map(word => ({ word, known: among.filter(template => points(template, word) > 0).length }))
    .filter(({ known }) => known > 0 && known <= most);
  return best(among, template =>
    sum(telling.map(({ word, known }) => points(template, word) / known))
  ).slice(0, MOST_CLOSEST);
}

/** Shorter words (of, is, to) are part of nearly every text. */
const SHORTEST = 3;
/** What changed is a change, too. */
const ENDING = /^(.{4,}?)(?:ing|ed|es|s)$/;
/** A word that so many have, or a third of them, tells them apart. */
const FEW = 2;
const MOST_CLOSEST = 8;

function wanted({ words }: Search): string[] {
  return words
    .toLowerCase()
    .split(/[\s?!,;]+/)
    .filter(Boolean);
}

function within(templates: readonly TemplateInfo[], search: Search): TemplateInfo[] {
  return templates.filter(
    template =>
      (search.area === '' || area(template) === search.area) &&
      (search.signal === '' || signals(template).includes(search.signal))
  );
}

/** Those that have points, most first; deprecated ones last. */
function best(
  templates: readonly TemplateInfo[],
  pointsOf: (template: TemplateInfo) => number
): TemplateInfo[] {
  return templates
    .map(template => {
      const points = pointsOf(template);
      return { template, points: template.status === 'deprecated' ? points / 1000 : points };
    })
    .filter(({ points }) => points > 0)
    .sort((a, b) => b.points - a.points || order(a.template).localeCompare(order(b.template)))
    .map(({ template }) => template);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}

/** By id; the questions that one begins with come first. */
function order({ id }: TemplateInfo): string {
  return id.startsWith('triage.') ? ` ${id}` : id;
}

/** How well a word is met, at its best place; 0 when it is not. */
function points(template: TemplateInfo, word: string): number {
  const places: [string, number][] = [
    [template.title, 8],
    [template.id, 8],
    [template.question, 4],
    [[...template.covers, ...template.requires].join(' '), 2],
    [[...Object.keys(template.returns), ...template.params.map(param => param.name)].join(' '), 1]
  ];
  return Math.max(...places.map(([text, weight]) => weight * match(text.toLowerCase(), word)));
}

/** 2 at a word's beginning, 1 within one. */
function match(text: string, word: string): number {
  const at = text.indexOf(word);
  if (at < 0) {
    return 0;
  }
  return new RegExp(`(^|[^a-z0-9])${word.replace(/[^a-z0-9]/g, '\\$&')}`).test(text) ? 2 : 1;
}
