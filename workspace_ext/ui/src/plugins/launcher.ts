import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification, showErrorMessage } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { Api, problemIn } from '../api';
import { begin } from '../beginning/dialog';
import { CATEGORY, CommandIDs } from '../commands';
import { sentence } from '../format';
import { investigationIcon } from '../icons';
import { IInvestigationModel, type InvestigationModel } from '../model';
import { IPreferences, type Preferences } from '../preferences';
import { trans } from '../translation';
import type { NewInvestigation } from '../types';

/** The ways to begin: in a notebook of its own, or in the one in front. */
export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: 'investigation-workspace:launcher',
  description: 'Adds the launcher card “New investigation” and the commands that begin one.',
  autoStart: true,
  requires: [IPreferences, INotebookTracker, IInvestigationModel],
  optional: [ILauncher, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    _: Preferences,
    tracker: INotebookTracker,
    model: InvestigationModel,
    launcher: ILauncher | null,
    palette: ICommandPalette | null
  ) => {
    const { commands, serviceManager } = app;
    const api = new Api(serviceManager.serverSettings);
    const pathInFront = (): string =>
      serviceManager.contents.localPath(tracker.currentWidget?.context.path ?? '');

    commands.addCommand(CommandIDs.create, {
      label: args =>
        args['isPalette'] ? trans.__('New Investigation…') : trans.__('New investigation'),
      caption: () =>
        model.whyNot('open') || trans.__('Begin an investigation in a notebook of its own'),
      icon: investigationIcon,
      isEnabled: () => !model.whyNot('open'),
      execute: async args => {
        const why = model.whyNot('open');
        if (why) {
          Notification.info(why, { autoClose: 5000 }); // the launcher knows no disabled card
          return;
        }
        const directory = (args['cwd'] as string | undefined) ?? PathExt.dirname(pathInFront());
        const known = JSON.parse(String(args['known'] ?? '{}')) as Partial<NewInvestigation>;
        const made = await begin(api, directory, known);
        if (made) {
          await commands.execute('docmanager:open', { path: made.path, factory: 'Notebook' });
          await commands.execute(CommandIDs.showPanel, { isBeside: true });
        }
      }
    });
    commands.addCommand(CommandIDs.adopt, {
      label: trans.__('Start Investigation in This Notebook'),
      icon: investigationIcon,
      isEnabled: () => tracker.currentWidget !== null && !model.whyNot('open'),
      execute: () =>
        orSayWhy(trans.__('The investigation could not be started'), async () => {
          await api.adopt(pathInFront());
          await commands.execute(CommandIDs.showPanel, { isBeside: true });
        })
    });
    launcher?.add({ command: CommandIDs.create, category: CATEGORY, categoryRank: 0 });
    palette?.addItem({
      command: CommandIDs.create,
      category: CATEGORY,
      args: { isPalette: true }
    });
    palette?.addItem({ command: CommandIDs.adopt, category: CATEGORY });
  }
};

async function orSayWhy(title: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { message, hint } = problemIn(error);
    await showErrorMessage(title, `${sentence(message).replace(/\.?$/, '.')} ${sentence(hint)}`);
  }
}
