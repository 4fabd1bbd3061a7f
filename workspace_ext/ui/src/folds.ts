import type { IStateDB } from '@jupyterlab/statedb';
import * as React from 'react';

const KEY = 'investigation-workspace:folds';

/** Which sections a person opened or closed; remembered over a reload. */
export class Folds {
  constructor(stateDB: IStateDB | null, changed: () => void) {
    this._stateDB = stateDB;
    void stateDB?.fetch(KEY).then(known => {
      this._open = { ...(known as Record<string, boolean> | undefined), ...this._open };
      changed();
    });
  }

  /** Whether a section is open. */
  isOpen(section: string, otherwise: boolean): boolean {
    return this._open[section] ?? otherwise;
  }

  /** Remembers it. */
  set(section: string, isOpen: boolean): void {
    this._open = { ...this._open, [section]: isOpen };
    void this._stateDB?.save(KEY, this._open);
  }

  private readonly _stateDB: IStateDB | null;
  private _open: Record<string, boolean> = {};
}

/** The folds of the panel that a section lies in. */
export const FoldsContext = React.createContext(new Folds(null, () => undefined));
