import { problemIn, type Api, type Problem } from '../api';
import type { Provenance } from '../types';

/** What is known of a query's provenance: nothing yet, all of it, or why not. */
export type Known = { provenance: Provenance } | { problem: Problem } | 'asking';

/** What stands behind answers, asked for once each: a recorded answer never changes. */
export class Provenances {
  constructor(api: Api, changed: () => void) {
    this._api = api;
    this._changed = changed;
  }

  /** What is known; asks for it when that is nothing. */
  of(path: string, query: string): Known {
    const known = this._known.get(query);
    if (known) {
      return known;
    }
    this._known.set(query, 'asking');
    void this._ask(path, query);
    return 'asking';
  }

  /** Asks again for what could not be had. */
  again(query: string): void {
    this._known.delete(query);
    this._changed();
  }

  private async _ask(path: string, query: string): Promise<void> {
    let known: Known;
    try {
      known = { provenance: await this._api.provenance(path, query) };
    } catch (error) {
      const problem = problemIn(error);
      known = { problem };
    }
    this._known.set(query, known);
    this._changed();
  }

  private readonly _api: Api;
  private readonly _changed: () => void;
  private readonly _known = new Map<string, Known>();
}
