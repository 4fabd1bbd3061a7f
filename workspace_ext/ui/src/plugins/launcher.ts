import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, showErrorMessage } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { Api, RequestError } from '../api';
import { CATEGORY, CommandIDs } from '../commands';
import { askBeginning } from '../dialog';
import { investigationIcon } from '../icons';

/** The way to begin: a launcher card and a palette entry. */
export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: 'investigation-workspace:launcher',
  description: 'Adds the launcher card and the command “New investigation”.',
  autoStart: true,
  optional: [ILauncher, ICommandPalette, INotebookTracker],
  activate: (
    app: JupyterFrontEnd,
    launcher: ILauncher | null,
    palette: ICommandPalette | null,
    tracker: INotebookTracker | null
  ) => {
    const { commands, serviceManager } = app;
    const api = new Api(serviceManager.serverSettings);
    const besideNotebook = (): string => {
      const path = tracker?.currentWidget?.context.path ?? '';
      return PathExt.dirname(serviceManager.contents.localPath(path));
    };
    commands.addCommand(CommandIDs.create, {
      label: args => (args['isPalette'] ? 'New Investigation…' : 'New investigation'),
      caption: 'Begin an investigation in a notebook of its own',
      icon: investigationIcon,
      execute: async args => {
        const beginning = await askBeginning();
        if (!beginning) {
          return;
        }
        const directory = (args['cwd'] as string | undefined) ?? besideNotebook();
        try {
          const { path } = await api.create({ ...beginning, directory });
          await commands.execute('docmanager:open', { path, factory: 'Notebook' });
          await commands.execute(CommandIDs.showPanel);
        } catch (error) {
          await showErrorMessage('The investigation could not be created', sentence(error));
        }
      }
    });
    launcher?.add({ command: CommandIDs.create, category: CATEGORY, categoryRank: 0 });
    palette?.addItem({
      command: CommandIDs.create,
      category: CATEGORY,
      args: { isPalette: true }
    });
  }
};

function sentence(error: unknown): string {
  return error instanceof RequestError ? `${error.message} ${error.hint}` : String(error);
}
