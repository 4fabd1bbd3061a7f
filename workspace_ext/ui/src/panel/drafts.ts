import * as React from 'react';

const PREFIX = 'investigation-workspace:draft';

/** Whose drafts are meant: an investigation's uid. */
export const DraftsContext = React.createContext('');

/**
 * A text that is being typed. It stays in this tab until it is sent or given up, also when its form
 * goes away meanwhile: with another notebook in front, or because the page is loaded again.
 */
export function useDraft(name: string): [string, (text: string) => void] {
  const key = `${PREFIX} ${React.useContext(DraftsContext)} ${name}`;
  const [text, setText] = React.useState(() => kept(key));
  const change = (changed: string): void => {
    keep(key, changed);
    setText(changed);
  };
  return [text, change];
}

function kept(key: string): string {
  try {
    return sessionStorage.getItem(key) ?? '';
  } catch {
    return ''; // a browser that keeps nothing for this page
  }
}

function keep(key: string, text: string): void {
  try {
    if (text) {
      sessionStorage.setItem(key, text);
    } else {
      sessionStorage.removeItem(key);
    }
  } catch {
    // It is still in the form.
  }
}
