import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookCellExecutor } from '@jupyterlab/notebook';
import { CellExecutor } from '../executor';

/**
 * Runs cells for those who may; takes the place of JupyterLab's own and of shared editing's, see
 * `disabledExtensions` in package.json. It requires nothing: notebooks wait for it.
 */
export const executorPlugin: JupyterFrontEndPlugin<INotebookCellExecutor> = {
  id: 'investigation-workspace:cell-executor',
  description: 'Runs cells, but for people who may only look.',
  autoStart: true,
  provides: INotebookCellExecutor,
  activate: () => new CellExecutor()
};
