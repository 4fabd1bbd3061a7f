import type { IDisposable } from '@lumino/disposable';
import type { Api } from './api';
import type { Happening, InvestigationState } from './types';

/** Alerts, deploys and the like in the window of an investigation; read again when it changes. */
export class Happenings implements IDisposable {
  constructor(api: Api, changed: () => void) {
    this._api = api;
    this._changed = changed;
  }

  /** The newest first; none while they are not known. */
  get all(): Happening[] {
    return this._all;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Takes an investigation as it stands now. */
  follow(state: InvestigationState | null | undefined): void {
    const { window, pin } = state ?? { window: null, pin: 0 };
    const asked = window ? `${window.start}/${window.end} ${pin}` : '';
    if (asked !== this._asked) {
      this._asked = asked;
      void this._read(asked, state);
    }
  }

  dispose(): void {
    this._isDisposed = true;
  }

  private async _read(asked: string, state: InvestigationState | null | undefined): Promise<void> {
    let found: Happening[] = [];
    if (state?.window) {
      try {
        found = await this._api.happenings(state.window, state.pin);
      } catch {
        this._asked = ''; // with the next change it is tried again
        return;
      }
    }
    if (!this._isDisposed && asked === this._asked) {
      this._all = found;
      this._changed();
    }
  }

  private readonly _api: Api;
  private readonly _changed: () => void;
  private _all: Happening[] = [];
  private _asked = '';
  private _isDisposed = false;
}
