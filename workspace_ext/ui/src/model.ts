import { VDomModel } from '@jupyterlab/ui-components';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import { Token } from '@lumino/coreutils';
import { Signal } from '@lumino/signaling';
import { isPassing, problemIn, type Api, type Problem } from './api';
import { activeUid, cellNumbers, goToCell } from './cells';
import { Happenings } from './happenings';
import { merge } from './merge';
import { Outbox } from './outbox';
import { Presence, type Person } from './presence';
import { Reviews } from './reviews';
import { InvestigationStream } from './stream';
import { trans } from './translation';
import type { Catalogue, Happening, InvestigationState, Me, Rules, StreamMessage } from './types';

/** The kernel whose notebooks become investigations on their first run. */
const KERNEL_NAME = 'investigation';

/** What is needed for some things; for all others that one may edit. */
const NEEDED: Partial<Record<string, Me['may'][number]>> = {
  'investigation.pinned': 'pin',
  'review.archive': 'close',
  run: 'run',
  open: 'open',
  people: 'people'
};

/** Follows the notebook in front and holds its investigation, live. */
export class InvestigationModel extends VDomModel {
  constructor(options: InvestigationModel.IOptions) {
    super();
    this._api = options.api;
    this._me = options.me;
    this._contents = options.contents;
    this._happenings = new Happenings(options.api, () => this.stateChanged.emit());
    options.tracker.currentChanged.connect((_, panel) => this._follow(panel), this);
    this._follow(options.tracker.currentWidget);
    // After a sleep, or a login in another tab.
    for (const moment of ['focus', 'online']) {
      window.addEventListener(moment, this._onReturn);
    }
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

  /** Who has the notebook open. */
  get people(): Person[] {
    return this._presence?.people ?? [];
  }

  /** Alerts, deploys and the like in the investigation's window. */
  get happenings(): Happening[] {
    return this._happenings.all;
  }

  /** The person themself, as far as the server says it. */
  get me(): Me | null {
    return this._me;
  }

  /** Why the person may not say a kind of thing, or do what an ability is for; empty if they may. */
  whyNot(what: string): string {
    const me = this._me;
    if (!me || me.may.includes(NEEDED[what] ?? 'edit')) {
      return '';
    }
    return me.role === 'viewer'
      ? trans.__('You are a viewer here: you see everything and may comment. Ask a lead for more.')
      : trans.__('Only a lead may do this. Ask one.');
  }

  /** Which states a person may choose for a hypothesis that is in a state. */
  reachable(state: string): string[] {
    return this._rules?.reachable[state] ?? [];
  }

  /** Puts something on record; what stands in the way, if anything does. */
  say(type: string, data: Record<string, unknown>, rationale = ''): Promise<Problem | null> {
    const said = { path: this._path, type, data, rationale };
    return this._outbox.send(said, id => this._api.record({ ...said, id }));
  }

  /** Gives somebody another role; what stands in the way, if anything does. */
  async giveRole(name: string, role: Me['role']): Promise<Problem | null> {
    try {
      await this._api.giveRole(name, role);
      return null;
    } catch (error) {
      return problemIn(error);
    }
  }

  /** What there is in the store now: how far a pin can be moved. */
  catalogue(): Promise<Catalogue> {
    return this._api.catalogue();
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
    this._numbers ??= this._notebook ? cellNumbers(this._notebook) : new Map<string, number>();
    return this._numbers.get(uid) ?? null;
  }

  /** The line that a cell of the notebook in front begins with; empty when it is not there. */
  cellBegin(uid: string): string {
    const number = this.cellNumber(uid);
    const cell = number === null ? undefined : this._notebook?.content.model?.cells.get(number - 1);
    return cell?.sharedModel.source.trim().split('\n', 1)[0] ?? '';
  }

  /** How often the notebook in front was saved while it was here. */
  get saves(): number {
    return this._saves;
  }

  /** Shows a cell of the notebook in front. */
  goTo(uid: string): void {
    if (this._notebook) {
      void goToCell(this._notebook, uid);
    }
  }

  /** Tries again at once. */
  retry(): void {
    const stream = this._stream;
    this._problem = null;
    this._isStarting = true;
    this.stateChanged.emit();
    const reopen = (): void => {
      if (stream === this._stream) {
        stream?.retry();
      }
    };
    void this._api.again().then(reopen, reopen);
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._stream?.dispose();
    this._reviews?.dispose();
    this._presence?.dispose();
    this._happenings.dispose();
    for (const moment of ['focus', 'online']) {
      window.removeEventListener(moment, this._onReturn);
    }
    Signal.clearData(this);
    super.dispose();
  }

  private _follow(panel: NotebookPanel | null): void {
    if (panel === this._notebook) {
      return;
    }
    this._notebook?.context.pathChanged.disconnect(this._restart, this);
    this._notebook?.context.model.stateChanged.disconnect(this._onSave, this);
    this._notebook?.content.modelContentChanged.disconnect(this._onContent, this);
    this._notebook?.content.activeCellChanged.disconnect(this._redraw, this);
    this._notebook = panel;
    panel?.context.pathChanged.connect(this._restart, this);
    panel?.context.model.stateChanged.connect(this._onSave, this);
    panel?.content.modelContentChanged.connect(this._onContent, this);
    panel?.content.activeCellChanged.connect(this._redraw, this);
    this._restart();
  }

  private _restart(): void {
    this._stream?.dispose();
    this._stream = null;
    this._reviews?.dispose();
    this._reviews = null;
    this._presence?.dispose();
    this._presence = null;
    this._numbers = null;
    this._investigation = undefined;
    this._problem = null;
    this._isLive = false;
    this._isStarting = false;
    if (this._notebook) {
      const path = this._path;
      this._presence = new Presence(this._notebook, () => this.stateChanged.emit());
      this._reviews = new Reviews(this._api, path, () => this.stateChanged.emit());
      this._stream = new InvestigationStream(this._api, path);
      this._stream.received.connect(this._onMessage, this);
      this._stream.lost.connect(this._onLost, this);
    }
    this.stateChanged.emit();
  }

  private get _path(): string {
    return this._contents.localPath(this._notebook?.context.path ?? '');
  }

  private _redraw(): void {
    this.stateChanged.emit();
  }

  private _onContent(): void {
    this._numbers = null;
    this.stateChanged.emit();
  }

  /**
   * A save is a version, which an approval may not be for. A shared notebook is saved by the server:
   * that it is no longer dirty is all that one sees of it.
   */
  private _onSave(_: unknown, change: { name: string; newValue: unknown }): void {
    if (change.name === 'dirty' && change.newValue === false && this._investigation) {
      this._saves += 1;
      this._reviews?.refresh();
      this.stateChanged.emit();
    }
  }

  private _onMessage(stream: InvestigationStream, message: StreamMessage): void {
    if (message.type === 'error' && isPassing(message.data)) {
      void this._onLost(stream);
      return;
    }
    if (message.type === 'error') {
      this._problem = message.data;
      this._isLive = false;
    } else {
      this._problem = null;
      this._isLive = true;
      if (message.type === 'state') {
        this._investigation = message.data;
        this._me = message.me;
        this._numbers = null; // stamps may have come with it
        void this._learnRules();
        void this._checkBroker(stream);
      }
      if (message.data) {
        this._reviews?.refresh();
      }
      if (message.type === 'delta' && this._investigation) {
        this._investigation = merge(this._investigation, message.data);
      }
      this._happenings.follow(this._investigation);
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

  private async _learnRules(): Promise<void> {
    if (this._rules === null && this._investigation) {
      this._rules = await this._api.rules().catch(() => null);
      this.stateChanged.emit();
    }
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
        await this._api.catalogue(); // what it is refused for says more than the status
        return null;
      }
      return status.broker === 'starting' ? 'starting' : null;
    } catch (error) {
      return problemIn(error);
    }
  }

  private readonly _onReturn = (): void => {
    if (!this._isLive && this._problem) {
      this.retry();
    }
  };

  private readonly _api: Api;
  private readonly _contents: Contents.IManager;
  private _notebook: NotebookPanel | null = null;
  private _stream: InvestigationStream | null = null;
  private _reviews: Reviews | null = null;
  private _presence: Presence | null = null;
  private readonly _happenings: Happenings;
  private _me: Me | null;
  private _rules: Rules | null = null;
  private readonly _outbox = new Outbox();
  private _numbers: Map<string, number> | null = null;
  private _saves = 0;
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
    /** Who the person is, as far as the page says it; the stream says it anew. */
    me: Me | null;
    tracker: INotebookTracker;
    contents: Contents.IManager;
  }
}

export const IInvestigationModel = new Token<InvestigationModel>(
  'investigation-workspace:model',
  'The investigation of the notebook in front, live.'
);
