import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator } from '@jupyterlab/translation';
import { showTimesIn } from '../format';
import { IPreferences, Preferences, PREFERENCES_ID } from '../preferences';
import { speak } from '../translation';

/** The reader's language, time zone and choices; who shows anything requires `IPreferences`. */
export const preferencesPlugin: JupyterFrontEndPlugin<Preferences> = {
  id: PREFERENCES_ID,
  description: 'Holds what a person chose for the views of Investigation Workspace.',
  autoStart: true,
  provides: IPreferences,
  optional: [ITranslator, ISettingRegistry],
  activate: (
    _: JupyterFrontEnd,
    translator: ITranslator | null,
    registry: ISettingRegistry | null
  ) => {
    if (translator) {
      speak(translator);
    }
    const preferences = new Preferences();
    preferences.changed.connect(() => showTimesIn(preferences.timeZone));
    // Views do not wait for the settings: they are drawn again when these come.
    registry?.load(PREFERENCES_ID).then(
      settings => preferences.follow(settings),
      reason => console.warn('Investigation Workspace keeps its default settings:', reason)
    );
    return preferences;
  }
};
