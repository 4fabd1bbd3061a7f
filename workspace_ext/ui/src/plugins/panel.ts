import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IStateDB } from '@jupyterlab/statedb';
import { CATEGORY, CommandIDs } from '../commands';
import { investigationIcon } from '../icons';
import { IInvestigationModel, type InvestigationModel } from '../model';
import { InvestigationPanel, PANEL_ID } from '../panel/widget';
import { IPreferences, type Preferences } from '../preferences';
import { trans } from '../translation';

const SHOWN_ONCE = 'investigation-workspace:panel-shown';

/** The right-hand panel that follows the notebook in front. */
export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'investigation-workspace:panel',
  description: 'Shows the hypotheses and captured steps of the notebook in front, live.',
  autoStart: true,
  requires: [IPreferences, IInvestigationModel],
  optional: [ICommandPalette, ILayoutRestorer, IStateDB],
  activate: (
    app: JupyterFrontEnd,
    preferences: Preferences,
    model: InvestigationModel,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    stateDB: IStateDB | null
  ) => {
    const { commands, shell } = app;
    const actions = {
      create: () => void commands.execute(CommandIDs.create),
      adopt: () => void commands.execute(CommandIDs.adopt),
      showData: () => void commands.execute(CommandIDs.showData)
    };
    const panel = new InvestigationPanel(model, actions, stateDB);
    shell.add(panel, 'right', { rank: 600, type: 'Investigation' });
    restorer?.add(panel, PANEL_ID);
    preferences.changed.connect(() => panel.update());
    commands.addCommand(CommandIDs.showPanel, {
      label: trans.__('Show Investigation Panel'),
      icon: investigationIcon,
      execute: args => {
        shell.activateById(PANEL_ID);
        if (args['isBeside'] !== true) {
          panel.node.focus();
        }
      }
    });
    palette?.addItem({ command: CommandIDs.showPanel, category: CATEGORY });
    if (stateDB) {
      showOnce(model, stateDB, async () => {
        await app.restored;
        if (preferences.openPanel) {
          shell.activateById(PANEL_ID);
        }
      });
    }
  }
};

/** Brings the panel to the front when a person meets an investigation for the first time. */
function showOnce(model: InvestigationModel, stateDB: IStateDB, show: () => Promise<void>): void {
  const onChange = async (): Promise<void> => {
    if (!model.investigation) {
      return;
    }
    model.stateChanged.disconnect(onChange);
    if ((await stateDB.fetch(SHOWN_ONCE)) === undefined) {
      await stateDB.save(SHOWN_ONCE, true);
      await show();
    }
  };
  model.stateChanged.connect(onChange);
}
