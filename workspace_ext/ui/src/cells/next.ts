import { trans } from '../translation';
import { ownKeys } from './badge';
import { proposalHint, proposalLabel, type Proposal } from './onward';

/** Set on a cell that has buttons, so that the text of its output, which says the same, is hidden. */
const SHOWN = 'jp-mod-investigationNext';

/** What one may ask after a cell's answer, as buttons below its outputs. */
export class NextRow {
  readonly node = document.createElement('div');

  constructor(ask: (proposal: Proposal) => void) {
    this._ask = ask;
    this.node.className = 'jp-InvestigationNext';
    this.node.setAttribute('role', 'group');
    this.node.setAttribute('aria-label', trans.__('What to ask next'));
    ownKeys(this.node);
  }

  /** Shows them below a cell's outputs; costs nothing when they are what is shown. */
  show(cell: HTMLElement, proposals: readonly Proposal[]): void {
    cell.classList.toggle(SHOWN, proposals.length > 0);
    if (proposals.length === 0) {
      this.node.remove();
      return;
    }
    const shown = JSON.stringify(proposals);
    if (shown !== this._shown) {
      this._shown = shown;
      const label = document.createElement('span');
      label.textContent = trans.__('Next');
      this.node.replaceChildren(label, ...proposals.map(proposal => this._button(proposal)));
    }
    if (!this.node.isConnected || this.node.parentElement !== cell) {
      cell.querySelector(':scope > .jp-Cell-outputWrapper')?.after(this.node);
    }
  }

  private _button(proposal: Proposal): HTMLButtonElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = proposalLabel(proposal);
    button.title = proposalHint(proposal);
    button.onclick = () => this._ask(proposal);
    return button;
  }

  private readonly _ask: (proposal: Proposal) => void;
  private _shown = '';
}

/** Moves the cursor to the first of them; false where there are none. */
export function focusNext(cell: HTMLElement | undefined): boolean {
  const first = cell?.querySelector<HTMLElement>('.jp-InvestigationNext button');
  first?.focus();
  return first !== null && first !== undefined;
}
