import { isCodeCellModel, type Cell, type ICellModel } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import { METADATA_KEY } from '../cells';
import type { InvestigationModel } from '../model';
import type { Preferences } from '../preferences';
import type { InvestigationState, Me } from '../types';
import { CellBadge, type BadgeActions, type BadgeContent } from './badge';
import { Digests } from './digest';
import { moved } from './moved';
import { NextRow } from './next';
import { proposals, type Proposal } from './onward';
import { readCell, staleness, type CellRecord } from './run';
import { badgeWords } from './words';

/** Typing changes a notebook with every key. */
const GATHER_MS = 250;

/** Relative times grow old. */
const TICK_MS = 30_000;

/** What badges lead to. */
export interface Leads {
  /** Shows what stands behind the active cell. */
  inspect: () => void;
  /** Shows the comments on the active cell. */
  discuss: () => void;
  /** Asks what the answer of the active cell leads to. */
  ask: (proposal: Proposal) => void;
}

/** Keeps the badges of one notebook what its cells' metadata say. */
export class NotebookBadges implements IDisposable {
  constructor(
    panel: NotebookPanel,
    model: InvestigationModel,
    preferences: Preferences,
    leads: Leads
  ) {
    this._panel = panel;
    this._model = model;
    this._preferences = preferences;
    this._leads = leads;
    panel.content.modelContentChanged.connect(this._later, this);
    panel.content.cellInViewportChanged.connect(this._later, this);
    panel.disposed.connect(this.dispose, this);
    model.stateChanged.connect(this._later, this);
    preferences.changed.connect(this._later, this);
    this._ticking = window.setInterval(() => this._later(), TICK_MS);
    void panel.revealed.then(() => this._later());
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    window.clearInterval(this._ticking);
    window.clearTimeout(this._timer);
    Signal.clearData(this);
  }

  private _later(): void {
    if (!this._isDisposed && this._timer === undefined) {
      this._timer = window.setTimeout(() => this._show(), GATHER_MS);
    }
  }

  private _show(): void {
    this._timer = undefined;
    if (this._isDisposed || !this._panel.model) {
      return;
    }
    const now = new Date();
    const pin = notebookPin(this._panel);
    const comments = this._openComments();
    if (this._model.notebook === this._panel) {
      this._state = this._model.investigation ?? null;
    }
    const seen = new Set<string>();
    for (const cell of this._panel.content.widgets) {
      const found = readCell(cell.model.getMetadata(METADATA_KEY));
      // A copied cell holds its original's metadata until the server takes them away.
      const own = found && !seen.has(found.uid) ? found : null;
      const uid = own?.uid ?? cell.model.id;
      seen.add(uid);
      this._place(cell, this._content(cell, own, pin, comments.get(uid) ?? 0, now));
      this._placeNext(cell);
    }
  }

  private _content(
    cell: Cell,
    record: CellRecord | null,
    pin: number,
    comments: number,
    now: Date
  ): BadgeContent | null {
    const last = this._preferences.showBadges ? (record?.last ?? null) : null;
    if (!last && comments === 0) {
      return null;
    }
    const source = cell.model.sharedModel.getSource();
    const words = last
      ? badgeWords(
          last,
          staleness(
            last,
            this._digests.of(cell.model, source),
            pin,
            this._state ? moved(this._state, last.query) : []
          ),
          record?.replay ?? '',
          pin,
          now
        )
      : [];
    return { words, comments: this._preferences.showBadges ? comments : 0 };
  }

  private _place(cell: Cell, content: BadgeContent | null): void {
    const known = this._badges.get(cell);
    if (!content) {
      known?.node.remove();
      return;
    }
    const badge = known ?? new CellBadge(this._actions(cell));
    this._badges.set(cell, badge);
    badge.show(content);
    if (!badge.node.isConnected || badge.node.parentElement !== cell.node) {
      // A cell that was never in view has no input yet; it comes again when it is.
      cell.node.querySelector(':scope > .jp-Cell-inputWrapper')?.after(badge.node);
    }
  }

  /** What one may ask next; nobody is offered what they may not do. */
  private _placeNext(cell: Cell): void {
    const found =
      this._preferences.showNext && mayAsk(this._model.me)
        ? proposals(outputMetadata(cell.model), this._state?.queries ?? {})
        : [];
    const known = this._next.get(cell);
    if (known || found.length > 0) {
      const row =
        known ??
        new NextRow(proposal => {
          this._choose(cell);
          this._leads.ask(proposal);
        });
      this._next.set(cell, row);
      row.show(cell.node, found);
    }
  }

  private _actions(cell: Cell): BadgeActions {
    const first = (lead: () => void) => () => {
      this._choose(cell);
      lead();
    };
    return { inspect: first(this._leads.inspect), discuss: first(this._leads.discuss) };
  }

  private _choose(cell: Cell): void {
    const notebook = this._panel.content;
    notebook.deselectAll();
    notebook.activeCellIndex = notebook.widgets.indexOf(cell);
  }

  /** How many threads are open, by the cell's uid; those of another notebook are not known. */
  private _openComments(): Map<string, number> {
    if (this._model.notebook === this._panel) {
      this._comments = new Map();
      for (const thread of Object.values(this._model.reviews?.review?.threads ?? {})) {
        if (thread.cell !== null && thread.resolved_by === null) {
          this._comments.set(thread.cell, (this._comments.get(thread.cell) ?? 0) + 1);
        }
      }
    }
    return this._comments;
  }

  private readonly _panel: NotebookPanel;
  private readonly _model: InvestigationModel;
  private readonly _preferences: Preferences;
  private readonly _leads: Leads;
  private readonly _badges = new WeakMap<Cell, CellBadge>();
  private readonly _next = new WeakMap<Cell, NextRow>();
  private _state: InvestigationState | null = null;
  private readonly _digests = new Digests<Cell['model']>();
  private _comments = new Map<string, number>();
  private readonly _ticking: number;
  private _timer: number | undefined = undefined;
  private _isDisposed = false;
}

/** The metadata of what a cell shows; none for a cell without outputs. */
function outputMetadata(cell: ICellModel): unknown[] {
  if (!isCodeCellModel(cell)) {
    return [];
  }
  const { outputs } = cell;
  return Array.from({ length: outputs.length }, (_, place) => outputs.get(place).metadata);
}

function mayAsk(me: Me | null): boolean {
  return me === null || (me.may.includes('edit') && me.may.includes('run'));
}

/** The pin that a notebook says its investigation has; 0 when it says none. */
function notebookPin(panel: NotebookPanel): number {
  const metadata = panel.model?.getMetadata(METADATA_KEY) as { pin?: unknown } | undefined;
  return typeof metadata?.pin === 'number' ? metadata.pin : 0;
}
