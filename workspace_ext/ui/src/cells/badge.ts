import { trans } from '../translation';
import { badgeLabel, type Word } from './words';

/** What a badge shows. */
export interface BadgeContent {
  words: readonly Word[];
  comments: number;
}

/** What a person may do at a badge. */
export interface BadgeActions {
  inspect: () => void;
  discuss: () => void;
}

/**
 * One line between a cell's input and its outputs.
 *
 * Plain elements, written only where something differs and never measured: a notebook has
 * hundreds of them.
 */
export class CellBadge {
  readonly node = document.createElement('div');

  constructor(actions: BadgeActions) {
    this.node.className = 'jp-InvestigationCell';
    this._run.type = this._comments.type = 'button';
    this._run.className = 'jp-InvestigationCell-run';
    this._comments.className = 'jp-InvestigationCell-comments';
    this._run.onclick = actions.inspect;
    this._comments.onclick = actions.discuss;
    ownKeys(this.node);
    this.node.append(this._run, this._comments);
  }

  /** Shows it; costs nothing when it is what is shown. */
  show(content: BadgeContent): void {
    const shown = JSON.stringify(content);
    if (shown === this._shown) {
      return;
    }
    this._shown = shown;
    const { words, comments } = content;
    this._run.hidden = words.length === 0;
    this._run.setAttribute('aria-label', badgeLabel(words));
    this._run.replaceChildren(...words.map(wordNode));
    this._comments.hidden = comments === 0;
    this._comments.textContent = trans._n('%1 comment', '%1 comments', comments);
    this._comments.title = trans.__('Show the comments on this cell');
  }

  private readonly _run = document.createElement('button');
  private readonly _comments = document.createElement('button');
  private _shown = '';
}

/** JupyterLab's notebook takes keys and clicks for the cell: these are for what lies in it. */
export function ownKeys(node: HTMLElement): void {
  for (const type of ['keydown', 'mousedown', 'dblclick']) {
    node.addEventListener(type, event => {
      const key = event instanceof KeyboardEvent ? event.key : 'Enter';
      if (key === 'Enter' || key === ' ') {
        event.stopPropagation();
      }
    });
  }
}

function wordNode(word: Word): HTMLElement {
  const node = document.createElement('span');
  node.dataset['tone'] = word.tone;
  node.textContent = word.text;
  node.title = word.title;
  return node;
}
