import { VDomModel } from '@jupyterlab/ui-components';
import { problemIn, type Api, type Problem } from '../api';
import type { DataOverview, NewInvestigation } from '../types';
import type { Quality } from './quality';

/** How far the sample incident is loaded. */
export interface Loading {
  file: string;
  /** From 0 to 1. */
  share: number;
}

/** What is in the store, and how it is doing. */
export class DataModel extends VDomModel {
  constructor(api: Api) {
    super();
    this._api = api;
  }

  /** What there is; null while that is not known. */
  get overview(): DataOverview | null {
    return this._overview;
  }

  /** What stands in the way, if anything does. */
  get problem(): Problem | null {
    return this._problem;
  }

  /** Whether there is no store yet: somebody begins, then there is. */
  get isMissing(): boolean {
    return this._problem?.code === 'no_store';
  }

  /** How the newest data are; null while nobody asked. */
  get quality(): Quality | 'asking' | Problem | null {
    return this._quality;
  }

  /** How far the sample incident is; null when it is not being loaded. */
  get loading(): Loading | null {
    return this._loading;
  }

  /** What the sample incident is about, once it was loaded here. */
  get loaded(): NewInvestigation | null {
    return this._loaded;
  }

  /** Follows the store for as long as somebody looks. */
  set isWatched(isWatched: boolean) {
    if (isWatched && !this._socket && !this.isDisposed) {
      void this.refresh();
      this._open();
    } else if (!isWatched) {
      this._close();
    }
  }

  /** Reads it again. */
  async refresh(): Promise<void> {
    try {
      this._overview = await this._api.data();
      this._problem = null;
    } catch (error) {
      this._problem = problemIn(error);
    }
    this.stateChanged.emit();
  }

  /** Tries again to have a broker, and then reads it. */
  retry(): Promise<void> {
    const read = (): Promise<void> => this.refresh();
    return this._api.again().then(read, read);
  }

  /** Looks how far the newest data can be trusted. */
  async judge(): Promise<void> {
    this._quality = 'asking';
    this.stateChanged.emit();
    try {
      this._quality = (await this._api.quality()) as Quality;
    } catch (error) {
      this._quality = problemIn(error);
    }
    this.stateChanged.emit();
  }

  /** Loads the sample incident; what is there already is not doubled. */
  async loadSample(): Promise<void> {
    this._loading = { file: '', share: 0 };
    this.stateChanged.emit();
    try {
      for await (const line of this._api.loadSample()) {
        if ('loaded' in line) {
          this._loaded = line.loaded;
        } else {
          this._loading = { file: line.file, share: line.done / line.of };
        }
        this.stateChanged.emit();
      }
      this._loading = null;
      await this.refresh();
    } catch (error) {
      this._loading = null;
      this._problem = problemIn(error);
      this.stateChanged.emit();
    }
  }

  override dispose(): void {
    this._close();
    super.dispose();
  }

  private _open(): void {
    const socket = new this._api.settings.WebSocket(this._api.dataStreamUrl());
    socket.onmessage = () => void this.refresh();
    socket.onclose = () => {
      this._timer = window.setTimeout(
        () => {
          void this.refresh();
          this._open();
        },
        AGAIN_MS * (1 + Math.random())
      );
    };
    this._socket = socket;
  }

  private _close(): void {
    window.clearTimeout(this._timer);
    if (this._socket) {
      this._socket.onmessage = this._socket.onclose = null;
      this._socket.close();
      this._socket = null;
    }
  }

  private readonly _api: Api;
  private _overview: DataOverview | null = null;
  private _problem: Problem | null = null;
  private _quality: Quality | 'asking' | Problem | null = null;
  private _loading: Loading | null = null;
  private _loaded: NewInvestigation | null = null;
  private _socket: WebSocket | null = null;
  private _timer: number | undefined = undefined;
}

const AGAIN_MS = 5000;
