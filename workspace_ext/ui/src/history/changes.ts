import { trans } from '../translation';
import type { CellDiff, Review, VersionDiff, VersionInfo } from '../types';

/** What a version did to its cells, counted in words: `1 added, 2 edited, 3 run`. */
export function summary(changes: VersionInfo['changes']): string {
  const counts = new Map<Sort, number>();
  for (const [uid, words] of Object.entries(changes)) {
    const sort = sortOf(uid, words);
    counts.set(sort, (counts.get(sort) ?? 0) + 1);
  }
  return ORDER.flatMap(sort => {
    const n = counts.get(sort);
    return n === undefined ? [] : [counted(sort, n)];
  }).join(', ');
}

/** Whether a version holds something that people wrote, not only what runs left behind. */
export function isEdit(version: VersionInfo): boolean {
  return Object.entries(version.changes).some(([uid, words]) => sortOf(uid, words) !== 'run');
}

/** Who changed a cell after one revision and up to another; null is what nobody saved yet. */
export function whoChanged(
  versions: readonly VersionInfo[],
  uid: string,
  before: number,
  after: number | null
): string[] {
  const between = versions.filter(
    ({ revision }) => revision > before && (after === null || revision <= after)
  );
  const actors = between.filter(({ changes }) => uid in changes).flatMap(({ actors }) => actors);
  return [...new Set(actors)];
}

/** The newer of two versions that still has a cell, to bring it back from; null when neither is one. */
export function lastWith(cell: CellDiff, { old, new: newer }: VersionDiff): number | null {
  if (newer !== null && cell.after !== null) {
    return newer;
  }
  return cell.before === null ? null : old;
}

/** What became of a cell, in words. */
export function whatBecame(cell: CellDiff): string {
  const { what, before, after } = cell;
  if (what === 'added') {
    return trans.__('added');
  }
  if (what === 'removed') {
    return trans.__('removed');
  }
  const words: Record<string, string> = {
    source: trans.__('edited'),
    outputs: trans.__('outputs differ'),
    moved:
      before === after
        ? trans.__('moved')
        : trans.__('moved from place %1 to %2', before ?? 0, after ?? 0),
    metadata: trans.__('metadata differ')
  };
  return what
    .split(' ')
    .map(word => words[word] ?? word)
    .join(', ');
}

/** The outputs of a cell before and after, by kind; empty when there are none. */
export function outputsNoted(cell: CellDiff): string {
  const before = kinds(cell.outputs_before);
  const after = kinds(cell.outputs_after);
  if (!cell.what.includes('outputs') || (!before && !after)) {
    return '';
  }
  return before === after
    ? trans.__('Outputs of the same kinds with other content: %1', after)
    : trans.__('Outputs: %1 → %2', before || trans.__('none'), after || trans.__('none'));
}

/** What reviewers did with each version, by its revision. */
export function reviewed(review: Review | null): Map<number, Review['steps']> {
  const found = new Map<number, Review['steps']>();
  for (const step of review?.steps ?? []) {
    found.set(step.revision, [...(found.get(step.revision) ?? []), step]);
  }
  return found;
}

const ORDER = ['added', 'edited', 'run', 'moved', 'removed', 'metadata'] as const;

type Sort = (typeof ORDER)[number];

function sortOf(uid: string, words: string): Sort {
  if (!uid) {
    return 'metadata';
  }
  if (words === 'outputs') {
    return 'run';
  }
  return ORDER.find(sort => sort === words) ?? 'edited';
}

function counted(sort: Sort, n: number): string {
  const words: Record<Sort, string> = {
    added: trans._n('%1 added', '%1 added', n),
    edited: trans._n('%1 edited', '%1 edited', n),
    run: trans._n('%1 run', '%1 run', n),
    moved: trans._n('%1 moved', '%1 moved', n),
    removed: trans._n('%1 removed', '%1 removed', n),
    metadata: trans.__('metadata')
  };
  return words[sort];
}

/** What a content type is to a reader; one that is not known here goes by its own name. */
function kindLabel(kind: string): string {
  const labels: [RegExp, string][] = [
    [/^text\/(html|plain|markdown|latex)/, trans.__('text or table')],
    [/vega|plotly|bokeh/, trans.__('chart')],
    [/^image\//, trans.__('picture')],
    [/widget-view/, trans.__('controls')],
    [/^stdout$/, trans.__('printed text')],
    [/^stderr$/, trans.__('warnings')],
    [/^error$/, trans.__('error')]
  ];
  return labels.find(([pattern]) => pattern.test(kind))?.[1] ?? kind;
}

function kinds(outputs: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const kind of outputs.map(kindLabel)) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, n]) => (n > 1 ? `${n} × ${kind}` : kind)).join(', ');
}
