import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import { trans } from '../translation';

/** Something that stands in the way of a question, and the command that may help. */
export interface Obstacle {
  reason: string;
  remedy?: { label: string; command: string };
}

/** The kernel that brings the investigation along. */
const KERNEL_NAME = 'investigation';

/** Brings it into any other Python kernel; said twice it is as said once. */
const LOAD = '%load_ext workspace_kernel';

/** Why no cell can be put into a notebook; null when one can. */
export function whyNotInsert(panel: NotebookPanel | null, mayEdit: boolean): Obstacle | null {
  if (!panel) {
    return { reason: trans.__('Open a notebook to ask this in.') };
  }
  if (!mayEdit || panel.context.model.readOnly) {
    return { reason: trans.__('You are here to look and to comment; who may edit can run this.') };
  }
  return null;
}

/** Why a question cannot be run in a notebook now; null when it can. */
export function whyNotRun(panel: NotebookPanel | null, mayEdit: boolean): Obstacle | null {
  const obstacle = whyNotInsert(panel, mayEdit);
  if (obstacle || !panel) {
    return obstacle;
  }
  const { sessionContext } = panel;
  const { kernelDisplayStatus } = sessionContext;
  if (!sessionContext.isReady && sessionContext.session === null) {
    return { reason: trans.__('The notebook is still opening.') };
  }
  if (sessionContext.hasNoKernel) {
    return {
      reason: trans.__('This notebook has no kernel to ask with.'),
      remedy: { label: trans.__('Choose a kernel'), command: 'notebook:change-kernel' }
    };
  }
  if (kernelDisplayStatus === 'dead') {
    return {
      reason: trans.__('The kernel of this notebook is dead.'),
      remedy: { label: trans.__('Restart it'), command: 'notebook:restart-kernel' }
    };
  }
  const language = specOf(panel)?.language;
  if (language && language !== 'python') {
    return {
      reason: trans.__('Templates are asked in Python; this kernel speaks %1.', language),
      remedy: { label: trans.__('Change the kernel'), command: 'notebook:change-kernel' }
    };
  }
  return null;
}

/** The line that a question needs before it in a notebook; empty for none. */
export function prelude(panel: NotebookPanel | null): string {
  const name = panel?.sessionContext.session?.kernel?.name;
  return name === undefined || name === KERNEL_NAME ? '' : LOAD;
}

/** Puts a code cell below the active one, makes that the active one, and may run it. */
export async function insert(panel: NotebookPanel, source: string, run: boolean): Promise<void> {
  const { content, model, sessionContext } = panel;
  const index = model?.cells.length ? content.activeCellIndex + 1 : 0;
  model?.sharedModel.insertCell(index, { cell_type: 'code', source, metadata: {} });
  content.deselectAll();
  content.activeCellIndex = index;
  await content.scrollToItem(index, 'smart');
  const cell = content.widgets[index];
  if (run && cell) {
    await NotebookActions.runCells(content, [cell], sessionContext);
  }
}

function specOf(panel: NotebookPanel): { language: string } | undefined {
  const { sessionContext } = panel;
  const name = sessionContext.session?.kernel?.name ?? '';
  return sessionContext.specsManager.specs?.kernelspecs[name];
}
