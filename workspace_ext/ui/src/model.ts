import { VDomModel } from '@jupyterlab/ui-components';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import { Token } from '@lumino/coreutils';
import { Signal } from '@lumino/signaling';
import { RequestError, type Api, type Problem } from './api';
import { activeUid, cellIndex, goToCell } from './cells';
import { merge } from './merge';
import { Reviews } from './reviews';
import { InvestigationStream } from './stream';
import { trans } from './translation';
import type { InvestigationState, StreamMessage } from './types';

/** The kernel whose notebooks become investigations on their first run. */
const KERNEL_NAME = 'investigation';

/** Follows the notebook in front and holds its investigation, live. */
export class InvestigationModel extends VDomModel {
  constructor(options: InvestigationModel.IOptions) {
    super();
    this._api = options.api;
    this._contents = options.contents;
    options.tracker.currentChanged.connect((_, panel) => this._follow(panel), this);
    this._follow(options.tracker.currentWidget);
  }

  /** The notebook in front, if there is one. */
  get notebook(): NotebookPanel | null {
    return this._notebook;
  }

  /** Its investigation: undefined while not known, null when the notebook is none. */
  get investigation(): InvestigationState | null | undefined {
    return this._investigation;
  }

  /** Its review and comments; null without a notebook. */
  get reviews(): Reviews | null {
    return this._reviews;
  }

  /** The uid of the active cell. */
  get activeCell(): string | null {
    return this._notebook ? activeUid(this._notebook) : null;
  }

  /** Whether changes arrive as they happen. */
  get isLive(): boolean {
    return this._isLive;
  }

  /** What stands in the way, if anything does. */
  get problem(): Problem | null {
    return this._problem;
  }

  /** The broker is on its way up. */
  get isStarting(): boolean {
    return this._isStarting;
  }

  /** The notebook's next run will open an investigation. */
  get isReady(): boolean {
    const spec = this._notebook?.model?.getMetadata('kernelspec') as { name?: string } | undefined;
    return spec?.name === KERNEL_NAME;
  }

  /** A cell's number as people count, from one; null when the cell is gone. */
  cellNumber(uid: string): number | null {
    const index = this._notebook ? cellIndex(this._notebook, uid) : -1;
    return index < 0 ? null : index + 1;
  }

  /** Shows a cell of the notebook in front. */
  goTo(uid: string): void {
    if (this._notebook) {
      void goToCell(this._notebook, uid);
    }
  }

  /** Tries again at once. */
  retry(): void {
    this._problem = null;
    this._stream?.retry();
    this.stateChanged.emit();
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._stream?.dispose();
    this._reviews?.dispose();
    Signal.clearData(this);
    super.dispose();
  }

  private _follow(panel: NotebookPanel | null): void {
    if (panel === this._notebook) {
      return;
    }
    this._notebook?.context.pathChanged.disconnect(this._restart, this);
    this._notebook?.context.saveState.disconnect(this._onSave, this);
    this._notebook?.content.modelContentChanged.disconnect(this._redraw, this);
    this._notebook?.content.activeCellChanged.disconnect(this._redraw, this);
    this._notebook = panel;
    panel?.context.pathChanged.connect(this._restart, this);
    panel?.context.saveState.connect(this._onSave, this);
    panel?.content.modelContentChanged.connect(this._redraw, this);
    panel?.content.activeCellChanged.connect(this._redraw, this);
    this._restart();
  }

  private _restart(): void {
    this._stream?.dispose();
    this._stream = null;
    this._reviews?.dispose();
    this._reviews = null;
    this._investigation = undefined;
    this._problem = null;
    this._isLive = false;
    this._isStarting = false;
    if (this._notebook) {
      const path = this._contents.localPath(this._notebook.context.path);
      this._reviews = new Reviews(this._api, path, () => this.stateChanged.emit());
      this._stream = new InvestigationStream(this._api, path);
      this._stream.received.connect(this._onMessage, this);
      this._stream.lost.connect(this._onLost, this);
    }
    this.stateChanged.emit();
  }

  private _redraw(): void {
    this.stateChanged.emit();
  }

  /** A save is a version, which an approval may not be for. */
  private _onSave(_: unknown, state: string): void {
    if (state === 'completed' && this._investigation) {
      this._reviews?.refresh();
    }
  }

  private _onMessage(stream: InvestigationStream, message: StreamMessage): void {
    if (message.type === 'error') {
      this._problem = message.data;
      this._isLive = false;
    } else {
      this._problem = null;
      this._isLive = true;
      if (message.type === 'state') {
        this._investigation = message.data;
        void this._checkBroker(stream);
      }
      if (message.data) {
        this._reviews?.refresh();
      }
      if (message.type === 'delta' && this._investigation) {
        this._investigation = merge(this._investigation, message.data);
      }
    }
    this._isStarting = false;
    this.stateChanged.emit();
  }

  private async _onLost(stream: InvestigationStream): Promise<void> {
    this._isLive = false;
    this.stateChanged.emit();
    // A websocket does not say why it closed; the status does.
    const problem = (await this._whyNot()) ?? (stream.failures > 2 ? streamBlocked() : null);
    if (stream !== this._stream || this._isLive) {
      return;
    }
    this._isStarting = problem === 'starting';
    this._problem = problem === 'starting' ? null : problem;
    this.stateChanged.emit();
  }

  /** Says before the first run, not after it, that nothing can be captured. */
  private async _checkBroker(stream: InvestigationStream): Promise<void> {
    await this._notebook?.context.ready; // its kernel's name is known then
    while (stream === this._stream && this._investigation === null && this.isReady) {
      const problem = await this._whyNot();
      if (problem !== 'starting') {
        this._problem = this._investigation === null ? problem : this._problem;
        this.stateChanged.emit();
        return;
      }
      await new Promise(resolve => setTimeout(resolve, STARTING_MS));
    }
  }

  private async _whyNot(): Promise<Problem | 'starting' | null> {
    try {
      const status = await this._api.status();
      if (status.broker === 'unavailable') {
        return { message: status.message, hint: '' };
      }
      return status.broker === 'starting' ? 'starting' : null;
    } catch (error) {
      return error instanceof RequestError ? error : { message: String(error), hint: '' };
    }
  }

  private readonly _api: Api;
  private readonly _contents: Contents.IManager;
  private _notebook: NotebookPanel | null = null;
  private _stream: InvestigationStream | null = null;
  private _reviews: Reviews | null = null;
  private _investigation: InvestigationState | null | undefined = undefined;
  private _problem: Problem | null = null;
  private _isLive = false;
  private _isStarting = false;
}

const STARTING_MS = 1000;

function streamBlocked(): Problem {
  return {
    message: trans.__('The live connection cannot be opened.'),
    hint: trans.__(
      'A proxy between you and the server may block websockets; the panel keeps trying.'
    )
  };
}

export namespace InvestigationModel {
  export interface IOptions {
    api: Api;
    tracker: INotebookTracker;
    contents: Contents.IManager;
  }
}

export const IInvestigationModel = new Token<InvestigationModel>(
  'investigation-workspace:model',
  'The investigation of the notebook in front, live.'
);
