import { Notification } from '@jupyterlab/apputils';
import { runCell, type INotebookCellExecutor } from '@jupyterlab/notebook';

const SHOWN_MS = 5000;

/** Runs cells as JupyterLab does, but for whom it may not, and says why. */
export class CellExecutor implements INotebookCellExecutor {
  /** Why the person may run no code; empty when they may. */
  whyNot: () => string = () => '';

  /** Runs a cell; false when that was refused or went wrong. */
  async runCell(options: INotebookCellExecutor.IRunCellOptions): Promise<boolean> {
    const why = options.cell.model.type === 'code' ? this.whyNot() : '';
    if (!why) {
      return runCell(options);
    }
    if (!Notification.manager.has(this._said)) {
      this._said = Notification.info(why, { autoClose: SHOWN_MS });
    }
    return false;
  }

  private _said = '';
}
