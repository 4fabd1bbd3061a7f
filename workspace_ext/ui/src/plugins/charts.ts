import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IThemeManager } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { redrawCharts } from '../cells/charts';

/** Lets charts follow JupyterLab's theme when it changes. */
export const chartsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'investigation-workspace:charts',
  description: 'Draws charts again in the colours of a theme that was newly chosen.',
  autoStart: true,
  requires: [INotebookTracker, IThemeManager],
  activate: (_: JupyterFrontEnd, tracker: INotebookTracker, themes: IThemeManager) => {
    themes.themeChanged.connect((_, change) => {
      if (change.oldValue !== null) {
        tracker.forEach(panel => void redrawCharts(panel.content));
      }
    });
  }
};
