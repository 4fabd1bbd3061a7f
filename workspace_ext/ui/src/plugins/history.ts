import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { Api } from '../api';
import { CATEGORY, CommandIDs } from '../commands';
import { HistoryWidget } from '../history/widget';
import { historyIcon } from '../icons';
import { IInvestigationModel, type InvestigationModel } from '../model';
import { IPreferences, type Preferences } from '../preferences';
import { trans } from '../translation';

/** The versions of a notebook, beside it. */
export const historyPlugin: JupyterFrontEndPlugin<void> = {
  id: 'investigation-workspace:history',
  description: 'Shows the saved versions of a notebook, what differs, and brings them back.',
  autoStart: true,
  requires: [IPreferences, IInvestigationModel, INotebookTracker],
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    preferences: Preferences,
    model: InvestigationModel,
    notebooks: INotebookTracker,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ) => {
    const { commands, serviceManager, shell } = app;
    const api = new Api(serviceManager.serverSettings);
    const tracker = new WidgetTracker<MainAreaWidget<HistoryWidget>>({
      namespace: 'investigation-history'
    });
    const inFront = (): string => notebooks.currentWidget?.context.localPath ?? '';

    commands.addCommand(CommandIDs.showHistory, {
      label: trans.__('Show History of Notebook'),
      caption: trans.__('Show the saved versions, compare them, and bring one back'),
      icon: historyIcon,
      isEnabled: args => Boolean(args['path'] ?? inFront()),
      execute: args => {
        const path = (args['path'] as string | undefined) ?? inFront();
        const known = tracker.find(({ content }) => content.path === path);
        const widget =
          known ?? new MainAreaWidget({ content: new HistoryWidget(model, api, path) });
        if (!known) {
          void tracker.add(widget);
          preferences.changed.connect(() => widget.content.update());
          shell.add(widget, 'main', { mode: 'tab-after', type: 'Investigation' });
        }
        shell.activateById(widget.id);
      }
    });
    palette?.addItem({ command: CommandIDs.showHistory, category: CATEGORY });
    void restorer?.restore(tracker, {
      command: CommandIDs.showHistory,
      args: ({ content }) => ({ path: content.path }),
      name: ({ content }) => content.path
    });
  }
};
