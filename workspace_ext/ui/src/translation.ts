import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';

/** The name of our bundle in JupyterLab's language packs. */
export const DOMAIN = 'investigation_workspace';

type Words = Pick<TranslationBundle, '__' | '_n'>;

/**
 * Gettext for every string that people read: `trans.__('Cell %1', number)` and, for plurals,
 * `trans._n('%1 row', '%1 rows', rows)`; before `speak`, and without a language pack, in English.
 *
 * Call it where the string is shown, not where a module is loaded: only then is the language known.
 */
export const trans: Words = {
  __: (text, ...args) => words.__(text, ...args),
  _n: (one, many, n, ...args) => words._n(one, many, n, ...args)
};

/** Takes the reader's language from JupyterLab. */
export function speak(translator: ITranslator): void {
  words = translator.load(DOMAIN);
}

const ENGLISH: Words = {
  __: fill,
  _n: (one, many, n, ...args) => fill(n === 1 ? one : many, n, ...args)
};

let words = ENGLISH;

function fill(text: string, ...args: unknown[]): string {
  return text.replace(/%(\d+)/g, (_, place: string) => String(args[Number(place) - 1]));
}
