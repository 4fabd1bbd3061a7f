import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Token } from '@lumino/coreutils';
import { Signal, type ISignal } from '@lumino/signaling';

export const PREFERENCES_ID = 'investigation-workspace:preferences';

/** The clock by which moments are shown. */
export type TimeZone = 'local' | 'UTC';

/** What each person may choose for themselves; `schema/preferences.json` says what each does. */
export class Preferences {
  /** Whether cells carry a badge that tells of their last run. */
  get showBadges(): boolean {
    return this._boolean('showBadges', true);
  }

  /** Whether answers offer what to ask next as buttons. */
  get showNext(): boolean {
    return this._boolean('showNext', true);
  }

  /** Whether the panel comes to the front with the first investigation. */
  get openPanel(): boolean {
    return this._boolean('openPanel', true);
  }

  get timeZone(): TimeZone {
    return this._settings?.composite['timeZone'] === 'UTC' ? 'UTC' : 'local';
  }

  /** Something was chosen anew. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Takes what was chosen from JupyterLab's settings; until then, the defaults hold. */
  follow(settings: ISettingRegistry.ISettings): void {
    this._settings = settings;
    settings.changed.connect(() => this._changed.emit());
    this._changed.emit();
  }

  private _boolean(key: string, otherwise: boolean): boolean {
    const value = this._settings?.composite[key];
    return typeof value === 'boolean' ? value : otherwise;
  }

  private readonly _changed = new Signal<this, void>(this);
  private _settings: ISettingRegistry.ISettings | null = null;
}

export const IPreferences = new Token<Preferences>(
  PREFERENCES_ID,
  'What a person chose for the views of Investigation Workspace.'
);
