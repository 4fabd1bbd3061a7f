import type { ICellModel } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';

/** The key of our metadata, in notebooks and cells. */
export const METADATA_KEY = 'investigation';

/** Where the cell with our uid lies in a notebook; -1 when it is there no more. */
export function cellIndex(panel: NotebookPanel, uid: string): number {
  const cells = [...(panel.content.model?.cells ?? [])];
  const stamped = cells.findIndex(cell => {
    const metadata = cell.getMetadata(METADATA_KEY) as { uid?: string } | undefined;
    return metadata?.uid === uid;
  });
  // A cell that was not stamped yet goes under its own id.
  return stamped >= 0 ? stamped : cells.findIndex(cell => cell.id === uid);
}

/** The number of each cell as people count, by our uid and by its own id. */
export function cellNumbers(panel: NotebookPanel): Map<string, number> {
  const numbers = new Map<string, number>();
  const cells = [...(panel.content.model?.cells ?? [])];
  // A cell that was not stamped yet goes under its own id; a stamp weighs more.
  cells.forEach((cell, index) => numbers.set(cell.id, index + 1));
  // Of a cell and its copies, which carry the same stamp, the first one counts.
  for (const [index, cell] of [...cells.entries()].reverse()) {
    const metadata = cell.getMetadata(METADATA_KEY) as { uid?: string } | undefined;
    if (metadata?.uid) {
      numbers.set(metadata.uid, index + 1);
    }
  }
  return numbers;
}

/** The uid of a cell: that which it carries, else its own id. */
export function cellUid(cell: ICellModel): string {
  const metadata = cell.getMetadata(METADATA_KEY) as { uid?: string } | undefined;
  return metadata?.uid ?? cell.id;
}

/** The uid of the active cell; null without one. */
export function activeUid(panel: NotebookPanel): string | null {
  const cell = panel.content.activeCell?.model;
  return cell ? cellUid(cell) : null;
}

/** Shows a cell and makes it the active one. */
export async function goToCell(panel: NotebookPanel, uid: string): Promise<void> {
  const index = cellIndex(panel, uid);
  if (index < 0) {
    return;
  }
  const notebook = panel.content;
  notebook.deselectAll();
  notebook.activeCellIndex = index;
  await notebook.scrollToItem(index, 'smart');
  panel.activate();
}
