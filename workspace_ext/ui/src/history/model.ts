import { VDomModel } from '@jupyterlab/ui-components';
import { problemIn, type Api, type Problem } from '../api';
import type { VersionDiff, VersionInfo } from '../types';

/** What two versions are laid beside each other. */
export type Against = 'previous' | 'now';

/** So many versions come with one request. */
const PAGE = 100;

/** The versions of one notebook, and what differs between two of them. */
export class HistoryModel extends VDomModel {
  readonly path: string;

  constructor(api: Api, path: string) {
    super();
    this._api = api;
    this.path = path;
  }

  /** The newest first; null while they are not known. */
  get versions(): readonly VersionInfo[] | null {
    return this._versions;
  }

  /** Whether there are older ones than those that are known. */
  get hasOlder(): boolean {
    return this._hasOlder;
  }

  /** The version that is looked at: the newest until somebody chose one. */
  get chosen(): VersionInfo | null {
    return this._versions?.find(({ revision }) => revision === this._revision) ?? null;
  }

  /** What it is compared with. */
  get against(): Against {
    return this._against;
  }

  /** What differs; null while that is not known. */
  get difference(): VersionDiff | null {
    return this._difference;
  }

  /** Why somebody wanted to restore something, where that failed. */
  get reason(): string {
    return this._reason;
  }

  /** What stands in the way, if anything does. */
  get problem(): Problem | null {
    return this._problem;
  }

  /** Reads the newest versions. */
  refresh(): Promise<void> {
    return this._attempt(async () => {
      const found = await this._api.versions(this.path, null);
      const oldest = found.at(-1)?.revision ?? 0;
      const older = (this._versions ?? []).filter(({ revision }) => revision < oldest);
      this._hasOlder = older.length > 0 ? this._hasOlder : found.length >= PAGE;
      this._versions = [...found, ...older];
      const revision = this._isChosen ? this._revision : (found[0]?.revision ?? null);
      // What was compared with the version before stays; what could not be compared is tried again.
      const isCompared =
        revision === this._revision && this._against !== 'now' && this._difference !== null;
      if (revision !== null && !isCompared) {
        await this._compare(revision, this._against);
      }
    });
  }

  /** Reads more of the older ones. */
  older(): Promise<void> {
    return this._attempt(async () => {
      const known = this._versions ?? [];
      const found = await this._api.versions(this.path, known.at(-1)?.revision ?? null);
      this._hasOlder = found.length >= PAGE;
      this._versions = [...known, ...found];
    });
  }

  /** Looks at a version, compared with the one before it or with the notebook as it is. */
  look(revision: number, against: Against): Promise<void> {
    this._isChosen = true;
    return this._attempt(() => this._compare(revision, against));
  }

  /** Brings the notebook, or one cell, back to a version. */
  restore(revision: number, cell: string | null, reason: string): Promise<void> {
    this._reason = reason;
    return this._attempt(async () => {
      const restored = await this._api.restore(this.path, revision, cell, reason);
      this._reason = '';
      this._revision = restored.revision;
      this._isChosen = true;
      this._against = 'previous';
      await this.refresh();
      await this._compare(restored.revision, 'previous');
    });
  }

  private async _compare(revision: number, against: Against): Promise<void> {
    if (revision !== this._revision || against !== this._against) {
      this._difference = null;
    }
    this._revision = revision;
    this._against = against;
    this.stateChanged.emit();
    const parent = this.chosen?.parent ?? 0;
    const found =
      against === 'now'
        ? await this._api.difference(this.path, revision, null)
        : parent > 0
          ? await this._api.difference(this.path, parent, revision)
          : null;
    if (revision === this._revision && against === this._against) {
      this._difference = found;
    }
  }

  private async _attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this._problem = null;
    } catch (error) {
      this._problem = problemIn(error);
    }
    if (!this.isDisposed) {
      this.stateChanged.emit();
    }
  }

  private readonly _api: Api;
  private _versions: VersionInfo[] | null = null;
  private _hasOlder = false;
  private _revision: number | null = null;
  private _isChosen = false;
  private _against: Against = 'previous';
  private _difference: VersionDiff | null = null;
  private _problem: Problem | null = null;
  private _reason = '';
}
