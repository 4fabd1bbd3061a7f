import * as React from 'react';

const PREFIX = 'investigation-workspace:draft';

/** Whose drafts are meant: an investigation's uid. */
export const DraftsContext = React.createContext('');

/**
 * A text that is being typed. It stays in this tab until it is sent or given up, also when its form
 * goes away meanwhile: with another notebook in front, or because the page is loaded again.
 */
export function useDraft(name: string): [string, (text: string) => void] {
  const key = `${React.useContext(DraftsContext)} ${name}`;
  const [text, setText] = React.useState(() => kept(key) ?? '');
  const change = (changed: string): void => {
    keep(key, changed || null);
    setText(changed);
  };
  return [text, change];
}

/** What was kept under a name in this tab; null for nothing. */
export function kept(name: string): string | null {
  try {
    return sessionStorage.getItem(`${PREFIX} ${name}`);
  } catch {
    return null; // a browser that keeps nothing for this page
  }
}

/** Keeps a text in this tab, or forgets it. */
export function keep(name: string, text: string | null): void {
  try {
    if (text === null) {
      sessionStorage.removeItem(`${PREFIX} ${name}`);
    } else {
      sessionStorage.setItem(`${PREFIX} ${name}`, text);
    }
  } catch {
    // It is still in the form.
  }
}
