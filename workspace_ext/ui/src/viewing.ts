import type { ISessionContext } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import type { Me } from './types';

type Preference = ISessionContext.IKernelPreference;
type Holdable = Pick<Cell, 'readOnly' | 'syncEditable'>;

/** Who the page's user is, as JupyterLab's configuration has it; null when it says nothing. */
export function meOfPage(option: string): Me | null {
  try {
    const me = JSON.parse(option) as Me | null;
    return Array.isArray(me?.may) ? me : null;
  } catch {
    return null;
  }
}

/** Whether somebody may not do a thing; of whom nothing is known may, until the server refuses. */
export function isBarred(me: Me | null, ability: Me['may'][number]): boolean {
  return me !== null && !me.may.includes(ability);
}

/** Asks for no kernel of one's own; one that runs for the notebook is still joined. */
export function withoutStart(preference: Preference): Preference {
  return { ...preference, shouldStart: false, canStart: false };
}

/** Lets nobody type into a cell, and leaves its metadata alone. */
export function hold(cell: Holdable): void {
  cell.syncEditable = false;
  cell.readOnly = true;
}

/** Lets a cell be what its metadata say. */
export function free(cell: Holdable): void {
  cell.syncEditable = true;
}
