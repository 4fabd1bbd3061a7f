import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';
import type { Api } from './api';
import type { StreamMessage } from './types';

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;

/**
 * The live story of one notebook, pushed by the server.
 *
 * A lost connection is opened again after a growing pause; the server then sends the whole state.
 */
export class InvestigationStream implements IDisposable {
  readonly path: string;

  constructor(api: Api, path: string) {
    this._api = api;
    this.path = path;
    this._open();
  }

  /** A message came. */
  get received(): ISignal<this, StreamMessage> {
    return this._received;
  }

  /** The connection was lost or refused; another try follows by itself. */
  get lost(): ISignal<this, void> {
    return this._lost;
  }

  /** How many tries failed in a row. */
  get failures(): number {
    return this._failures;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Tries at once, without the rest of the pause. */
  retry(): void {
    this._close();
    this._failures = 0;
    this._open();
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._close();
    Signal.clearData(this);
  }

  private _open(): void {
    const socket = new this._api.settings.WebSocket(this._api.streamUrl(this.path));
    socket.onmessage = event => {
      this._failures = 0;
      this._received.emit(JSON.parse(event.data as string) as StreamMessage);
    };
    socket.onclose = () => this._again();
    this._socket = socket;
  }

  private _again(): void {
    const pause = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this._failures);
    this._failures += 1;
    // Many browsers lose one server at the same moment; they should not all come back at once.
    this._timer = window.setTimeout(() => this._open(), pause * (0.5 + Math.random() / 2));
    this._lost.emit();
  }

  private _close(): void {
    window.clearTimeout(this._timer);
    if (this._socket) {
      this._socket.onmessage = null;
      this._socket.onclose = null;
      this._socket.close();
    }
  }

  private readonly _api: Api;
  private readonly _received = new Signal<this, StreamMessage>(this);
  private readonly _lost = new Signal<this, void>(this);
  private _socket: WebSocket | null = null;
  private _timer: number | undefined = undefined;
  private _failures = 0;
  private _isDisposed = false;
}
