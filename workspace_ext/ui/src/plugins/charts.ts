import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IThemeManager } from '@jupyterlab/apputils';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { keepPicturesOnce, redrawCharts } from '../cells/charts';

/** Lets charts follow JupyterLab's theme when it changes, and stand in shared notebooks once. */
export const chartsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'investigation-workspace:charts',
  description: 'Draws charts in the colours of the theme, and keeps one picture of each.',
  autoStart: true,
  requires: [INotebookTracker, IThemeManager],
  activate: (
    { docRegistry }: JupyterFrontEnd,
    tracker: INotebookTracker,
    themes: IThemeManager
  ) => {
    // An extender is called before the notebook is read, and so before a chart is drawn.
    docRegistry.addWidgetExtension('Notebook', {
      createNew: (panel: NotebookPanel) => keepPicturesOnce(panel)
    });
    themes.themeChanged.connect((_, change) => {
      if (change.oldValue !== null) {
        tracker.forEach(panel => void redrawCharts(panel.content));
      }
    });
  }
};
