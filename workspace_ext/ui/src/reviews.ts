import type { IDisposable } from '@lumino/disposable';
import { problemIn, type Api, type Problem } from './api';
import { Outbox } from './outbox';
import type { Review, Step, Thread } from './types';

/** The place of a comment: exactly one of them. */
export type Place = { cell: string } | { hypothesis: string } | { thread: string };

type Action = Review['actions'][number];

const GATHER_MS = 300;

/** The review of one notebook's investigation: read again whenever something may have moved it. */
export class Reviews implements IDisposable {
  constructor(api: Api, path: string, changed: () => void) {
    this._api = api;
    this._path = path;
    this._changed = changed;
  }

  /** How it stands; null while that is not known. */
  get review(): Review | null {
    return this._review;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Reads it again soon; many calls are one request. */
  refresh(): void {
    if (!this._isDisposed && this._timer === undefined) {
      this._timer = window.setTimeout(() => void this._read(), GATHER_MS);
    }
  }

  /** Moves it on, for the version that was shown; what stands in the way, if anything does. */
  act(action: Action, reason: string): Promise<Problem | null> {
    const digest = action === 'approve' ? (this._review?.digest ?? '') : '';
    return this._do(() => this._api.act(this._path, action, reason, digest));
  }

  /** Says something. */
  comment(text: string, place: Place): Promise<Problem | null> {
    const send = (id: string) => this._api.comment(this._path, text, place, id);
    return this._outbox.send({ text, place }, send).finally(() => this._read());
  }

  /** Resolves a thread, or opens it again. */
  settle(thread: Thread): Promise<Problem | null> {
    const resolved = thread.resolved_by === null;
    return this._do(() => this._api.settle(this._path, thread.id, resolved));
  }

  /** Whether a query used a template that nobody looked through. */
  isUnreviewed(query: string): boolean {
    const used = this._review?.templates ?? [];
    return used.some(template => template.by === null && template.queries.includes(query));
  }

  /** The scripts of a cell that nobody looked through, by name. */
  unreviewedScripts(step: Step | null): string[] {
    const known = (this._review?.scripts ?? []).filter(script => script.by === null);
    const open = new Set(known.map(script => script.digest));
    return (step?.files ?? []).filter(file => open.has(file.digest)).map(file => file.name);
  }

  dispose(): void {
    this._isDisposed = true;
    window.clearTimeout(this._timer);
  }

  private async _do(request: () => Promise<unknown>): Promise<Problem | null> {
    try {
      await request();
      return null;
    } catch (error) {
      return problemIn(error);
    } finally {
      await this._read();
    }
  }

  private async _read(): Promise<void> {
    window.clearTimeout(this._timer);
    this._timer = undefined;
    // What cannot be read now is read with the next change; the panel says why it is not live.
    const review = await this._api.review(this._path).catch(() => this._review);
    if (!this._isDisposed) {
      this._review = review;
      this._changed();
    }
  }

  private readonly _api: Api;
  private readonly _path: string;
  private readonly _changed: () => void;
  private readonly _outbox = new Outbox();
  private _review: Review | null = null;
  private _timer: number | undefined = undefined;
  private _isDisposed = false;
}
