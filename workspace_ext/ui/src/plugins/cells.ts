import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { Api } from '../api';
import { NotebookBadges } from '../cells/badges';
import { focusNext } from '../cells/next';
import { INSPECTOR_ID, ProvenanceInspector } from '../cells/widget';
import { CATEGORY, CommandIDs } from '../commands';
import { commentIcon, provenanceIcon, templatesIcon } from '../icons';
import { IInvestigationModel, type InvestigationModel } from '../model';
import { PANEL_ID } from '../panel/widget';
import { IPreferences, type Preferences } from '../preferences';
import { trans } from '../translation';

/** A badge on each cell, and what it leads to. */
export const cellsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'investigation-workspace:cells',
  description:
    'Shows on each cell who ran it, when and on which data, and where its result is from.',
  autoStart: true,
  requires: [IPreferences, IInvestigationModel, INotebookTracker],
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    preferences: Preferences,
    model: InvestigationModel,
    tracker: INotebookTracker,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ) => {
    const { commands, serviceManager, shell } = app;
    const inspector = new ProvenanceInspector(model, new Api(serviceManager.serverSettings));
    shell.add(inspector, 'right', { rank: 601, type: 'Investigation' });
    restorer?.add(inspector, INSPECTOR_ID);
    preferences.changed.connect(() => inspector.update());

    commands.addCommand(CommandIDs.showProvenance, {
      label: trans.__('Show Provenance of Cell'),
      caption: trans.__('Show the queries, data and sources behind the active cell'),
      icon: provenanceIcon,
      isEnabled: () => tracker.currentWidget !== null,
      execute: () => shell.activateById(INSPECTOR_ID)
    });
    commands.addCommand(CommandIDs.commentOnCell, {
      label: trans.__('Comment on Cell'),
      icon: commentIcon,
      isEnabled: () => tracker.currentWidget !== null,
      execute: () => {
        shell.activateById(PANEL_ID);
        commentBox()?.focus();
      }
    });
    commands.addCommand(CommandIDs.askNext, {
      label: trans.__('Ask What Comes Next'),
      caption: trans.__('Go to the questions that the answer of the active cell leads to'),
      icon: templatesIcon,
      isEnabled: () => tracker.activeCell !== null,
      execute: () => focusNext(tracker.activeCell?.node)
    });
    for (const command of [
      CommandIDs.showProvenance,
      CommandIDs.commentOnCell,
      CommandIDs.askNext
    ]) {
      palette?.addItem({ command, category: CATEGORY });
    }
    tracker.widgetAdded.connect((_, panel) => {
      new NotebookBadges(panel, model, preferences, {
        inspect: () => void commands.execute(CommandIDs.showProvenance),
        discuss: () => void commands.execute(CommandIDs.commentOnCell),
        ask: proposal => {
          void commands.execute(CommandIDs.onward, { ...proposal } as ReadonlyPartialJSONObject);
          panel.activate();
        }
      });
    });
  }
};

function commentBox(): HTMLElement | null {
  return document.querySelector(`#${PANEL_ID} [data-say="comment"] textarea`);
}
