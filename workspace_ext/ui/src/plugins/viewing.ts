import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookCellExecutor, type NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { CellExecutor } from '../executor';
import { IInvestigationModel, type InvestigationModel } from '../model';
import { IPreferences, type Preferences } from '../preferences';
import { trans } from '../translation';
import {
  free,
  freeze,
  hold,
  isBarred,
  isRefusal,
  thaw,
  withoutStart,
  type Shared
} from '../viewing';

const SIGN = 'investigation-view-only';

/** Notebooks as they are for people who may only look: calm, and not to be typed into. */
export const viewingPlugin: JupyterFrontEndPlugin<void> = {
  id: 'investigation-workspace:viewing',
  description: 'Opens notebooks without a kernel and read-only for people who may only look.',
  autoStart: true,
  requires: [IPreferences, IInvestigationModel],
  optional: [INotebookCellExecutor],
  activate: (
    { docRegistry, serviceManager }: JupyterFrontEnd,
    _: Preferences,
    model: InvestigationModel,
    executor: INotebookCellExecutor | null
  ) => {
    if (executor instanceof CellExecutor) {
      executor.whyNot = () => model.whyNot('run');
    }
    // What JupyterLab tries by itself, as to keep the layout, is no error of a viewer's page.
    window.addEventListener('unhandledrejection', event => {
      if (isBarred(model.me, 'edit') && isRefusal(event.reason)) {
        event.preventDefault();
      }
    });
    // An extender is called before the notebook is read, and so before a kernel is asked for.
    docRegistry.addWidgetExtension('Notebook', {
      createNew: (panel: NotebookPanel) => follow(panel, model, serviceManager.contents)
    });
  }
};

/** Keeps a notebook to what its reader may do, also when that changes. */
function follow(
  panel: NotebookPanel,
  model: InvestigationModel,
  contents: Contents.IManager
): void {
  const { sessionContext } = panel;
  const { shouldStart = true, canStart = true } = sessionContext.kernelPreference;
  const sign = viewOnly();
  let isHeld = false;
  const look = (): void => {
    const mayStart = !isBarred(model.me, 'run');
    const preference = sessionContext.kernelPreference;
    sessionContext.kernelPreference = mayStart
      ? { ...preference, shouldStart, canStart }
      : withoutStart(preference);
    if (isBarred(model.me, 'edit')) {
      isHeld = true;
      panel.content.widgets.forEach(hold);
      withShared(panel, freeze);
    } else if (isHeld) {
      isHeld = false;
      withShared(panel, thaw);
      panel.content.widgets.forEach(free);
      void learnWritable(panel, contents);
    }
    sign.setHidden(!isHeld);
    panel.toggleClass('jp-mod-investigationViewOnly', isHeld);
  };
  look();
  void panel.context.ready.then(() => {
    if (!panel.isDisposed) {
      const { toolbar } = panel;
      void (toolbar.insertBefore('kernelName', SIGN, sign) || toolbar.addItem(SIGN, sign));
      look();
    }
  });
  model.stateChanged.connect(look);
  panel.content.modelContentChanged.connect(look);
  panel.disposed.connect(() => {
    model.stateChanged.disconnect(look);
    sign.dispose();
  });
}

/** JupyterLab asks whether a notebook may be written when it opens it, and not again: tells it. */
async function learnWritable(panel: NotebookPanel, contents: Contents.IManager): Promise<void> {
  const { path, writable } = await contents.get(panel.context.path, { content: false });
  (contents.fileChanged as Signal<Contents.IManager, Contents.IChangedArgs>).emit({
    type: 'save',
    oldValue: null,
    newValue: { path, writable }
  });
  const signs = [...panel.toolbar.children()].filter(
    ({ node }) => writable && node.dataset['jpItemName'] === 'read-only-indicator'
  );
  signs.forEach(sign => sign.dispose());
}

/** Does something to a notebook's shared model, once there is one that was read. */
function withShared(panel: NotebookPanel, use: (model: Shared) => void): void {
  if (panel.context.isReady && panel.model) {
    use(panel.model.sharedModel);
  }
}

/** The quiet sign that says why nothing can be typed. */
function viewOnly(): Widget {
  const sign = new Widget();
  sign.addClass('jp-InvestigationViewOnly');
  sign.node.textContent = trans.__('View only: your role is viewer');
  sign.node.title = trans.__(
    'You see all edits and outputs as they happen, and may comment. Ask a lead for more.'
  );
  return sign;
}
