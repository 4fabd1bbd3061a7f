import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IStateDB } from '@jupyterlab/statedb';
import { Api } from '../api';
import { CATEGORY, CommandIDs } from '../commands';
import { DataModel } from '../data/model';
import { DATA_PANEL_ID, DataPanel } from '../data/widget';
import { dataIcon } from '../icons';
import { IPreferences, type Preferences } from '../preferences';
import { trans } from '../translation';

/** The left-hand panel of what is in the store. */
export const dataPlugin: JupyterFrontEndPlugin<void> = {
  id: 'investigation-workspace:data',
  description: 'Shows what telemetry is there, how fresh and how good it is, and how to send some.',
  autoStart: true,
  requires: [IPreferences],
  optional: [ICommandPalette, ILayoutRestorer, IStateDB],
  activate: (
    { commands, serviceManager, shell }: JupyterFrontEnd,
    preferences: Preferences,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    stateDB: IStateDB | null
  ) => {
    const model = new DataModel(new Api(serviceManager.serverSettings));
    const panel = new DataPanel(
      model,
      known => void commands.execute(CommandIDs.create, { known: JSON.stringify(known) }),
      stateDB
    );
    shell.add(panel, 'left', { rank: 650, type: 'Telemetry data' });
    restorer?.add(panel, DATA_PANEL_ID);
    preferences.changed.connect(() => panel.update());
    commands.addCommand(CommandIDs.showData, {
      label: trans.__('Show Telemetry Data'),
      icon: dataIcon,
      execute: () => shell.activateById(DATA_PANEL_ID)
    });
    palette?.addItem({ command: CommandIDs.showData, category: CATEGORY });
  }
};
