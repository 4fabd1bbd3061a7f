import type { ISessionContext } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import type { Me } from './types';

type Preference = ISessionContext.IKernelPreference;
type Transact = (f: () => void, undoable?: boolean, origin?: unknown) => void;

/** A shared notebook or cell: all that is changed here goes through `transact`; see `freeze`. */
export interface Shared {
  transact: Transact;
}

/** What is asked of a cell to hold it. */
export type Holdable = Pick<Cell, 'readOnly' | 'syncEditable'> & {
  model: { sharedModel: Shared };
};

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

/** Lets nobody type into a cell nor change it, and leaves its metadata alone. */
export function hold(cell: Holdable): void {
  cell.syncEditable = false;
  cell.readOnly = true;
  freeze(cell.model.sharedModel);
}

/** Lets a cell be what its metadata say. */
export function free(cell: Holdable): void {
  cell.syncEditable = true;
  thaw(cell.model.sharedModel);
}

/**
 * Makes a shared model deaf to the person at this browser: adding, moving and deleting cells does
 * nothing. The server would drop such changes, and they would be seen here alone. What others do
 * comes another way.
 */
export function freeze(model: Shared): void {
  model.transact = () => undefined;
}

/** Lets a shared model hear again. */
export function thaw(model: Shared): void {
  if (Object.hasOwn(model, 'transact')) {
    delete (model as Partial<Shared>).transact; // back to its class's
  }
}

/** Whether a failure is only that the server allows something to others. */
export function isRefusal(reason: unknown): boolean {
  const response = (reason as { response?: unknown } | null)?.response ?? reason;
  return (response as { status?: unknown } | null)?.status === 403;
}
