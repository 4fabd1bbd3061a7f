import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { Place } from './reviews';
import { trans } from './translation';
import type {
  Catalogue,
  DataOverview,
  ErrorBody,
  Happening,
  InvestigationDelta,
  Gallery,
  Member,
  NewInvestigation,
  NewNotebook,
  Provenance,
  RecordIn,
  Review,
  Rules,
  Status,
  Thread,
  VersionDiff,
  VersionInfo,
  WindowDict
} from './types';

/** What went wrong, and what to do next; `code` names the kind of trouble, for programs. */
export interface Problem {
  message: string;
  hint: string;
  code?: string;
}

/** A request that the server refused or could not answer. */
export class RequestError extends Error implements Problem {
  readonly hint: string;
  readonly code: string;

  constructor(problem: Problem) {
    super(problem.message);
    this.hint = problem.hint;
    this.code = problem.code ?? '';
  }
}

/** Whether an error only says that the broker is away for a moment. */
export function isPassing(problem: Problem): boolean {
  return PASSING.has(problem.code ?? '');
}

/** The code of a request of which nobody knows whether it arrived. */
export const NO_ANSWER = 'no_answer';

/** The code of a request that came too late for its login. */
export const LOGGED_OUT = 'logged_out';

const PASSING = new Set(['broker_unreachable', 'broker_gone', 'broker_starting']);

/** What an error says, of whatever kind it is. */
export function problemIn(error: unknown): Problem {
  return error instanceof RequestError
    ? { message: error.message, hint: error.hint, code: error.code }
    : { message: String(error), hint: '' };
}

/** The server extension's REST routes. */
export class Api {
  readonly settings: ServerConnection.ISettings;

  constructor(settings: ServerConnection.ISettings) {
    this.settings = settings;
  }

  /** Whether the broker is there. */
  status(): Promise<Status> {
    return this._request('status');
  }

  /** Has the broker tried again, where it could not start. */
  again(): Promise<Status> {
    return this._post('status', {});
  }

  /** Makes a notebook that is an investigation from the start. */
  create(investigation: NewInvestigation): Promise<NewNotebook> {
    return this._post('investigations', investigation);
  }

  /** Makes an existing notebook an investigation; one that is one stays what it is. */
  adopt(path: string): Promise<NewNotebook> {
    return this._post('investigations', { path });
  }

  /** Puts on record what a person says; the server says who and when. */
  record(said: RecordIn): Promise<InvestigationDelta> {
    return this._post('record', said);
  }

  /** Gives somebody another role on this server, at once. */
  giveRole(name: string, role: Member['role']): Promise<Pick<Member, 'name' | 'role'>> {
    return this._post('people', { name, role });
  }

  /** Which state of a hypothesis may be chosen from which. */
  rules(): Promise<Rules> {
    return this._request('rules');
  }

  /** Alerts, deploys and the like of a window, as a pin sees them. */
  happenings(window: WindowDict, pin: number): Promise<Happening[]> {
    const query = new URLSearchParams({
      window: `${window.start}/${window.end}`,
      pin: String(pin)
    });
    return this._request(`happenings?${query}`);
  }

  /** What there is to choose from when an investigation begins. */
  catalogue(): Promise<Catalogue> {
    return this._request('catalog');
  }

  /** What is in the store, and how ingest is. */
  data(): Promise<DataOverview> {
    return this._request('data');
  }

  /** How far the newest data can be trusted. */
  quality(): Promise<unknown> {
    return this._request('quality');
  }

  /** Tells whenever something came into the store. */
  dataStreamUrl(): string {
    return this._socketUrl('data/stream', {});
  }

  /** Loads the sample incident, and says how far it is. */
  async *loadSample(): AsyncGenerator<SampleLine> {
    const response = await this._fetch('sample', { method: 'POST', body: '{}' });
    if (!response.body) {
      throw new RequestError(problemOf(null, response));
    }
    for await (const line of lines(response.body)) {
      const told = JSON.parse(line) as SampleLine | ErrorBody;
      if ('error' in told) {
        throw new RequestError(told.error);
      }
      yield told;
    }
  }

  /** How the review of a notebook's investigation stands, with its comments. */
  review(path: string): Promise<Review> {
    return this._request(`review?${new URLSearchParams({ path })}`);
  }

  /** Moves a review on; digest names the version that the person looked at. */
  act(path: string, action: string, reason: string, digest: string): Promise<Review> {
    return this._post('review', { path, action, reason, digest });
  }

  /** Says something on a cell or a hypothesis, or in a thread; under one id it is said once. */
  comment(path: string, text: string, place: Place, id: string): Promise<Thread> {
    return this._post('comments', { path, text, ...place, id });
  }

  /** Resolves a thread of comments, or opens it again. */
  settle(path: string, thread: string, resolved: boolean): Promise<Thread> {
    return this._post('threads', { path, thread, resolved });
  }

  /** What can be asked of the store. */
  gallery(): Promise<Gallery> {
    return this._request('gallery');
  }

  /** A picture of a template's example result. */
  async picture(template: string): Promise<Blob> {
    return (await this._fetch(`gallery/${encodeURIComponent(template)}/picture`)).blob();
  }

  /** All that stands behind the answer to one query of a notebook's investigation. */
  provenance(path: string, query: string): Promise<Provenance> {
    return this._request(`provenance?${new URLSearchParams({ path, query })}`);
  }

  /** The saved versions of a notebook, the newest first; those before a revision, if one is named. */
  versions(path: string, before: number | null): Promise<VersionInfo[]> {
    const query = new URLSearchParams({ path });
    if (before !== null) {
      query.set('before', String(before));
    }
    return this._request(`versions?${query}`);
  }

  /** What differs between two versions; null is the notebook as it is, also what nobody saved. */
  difference(path: string, before: number, after: number | null): Promise<VersionDiff> {
    const query = new URLSearchParams({ path, old: String(before) });
    if (after !== null) {
      query.set('new', String(after));
    }
    return this._request(`diff?${query}`);
  }

  /** Brings a notebook, or one of its cells, back to a revision, as a new version. */
  restore(
    path: string,
    revision: number,
    cell: string | null,
    reason: string
  ): Promise<VersionInfo> {
    return this._post('restore', { path, revision, cell, reason });
  }

  /** Where the live story of a notebook comes from. */
  streamUrl(path: string): string {
    return this._socketUrl('stream', { path });
  }

  private _socketUrl(route: string, asked: Record<string, string>): string {
    const { wsUrl, appendToken, token } = this.settings;
    const query = new URLSearchParams(asked);
    if (appendToken && token) {
      query.set('token', token);
    }
    return `${URLExt.join(wsUrl, ROOT, route)}?${query}`;
  }

  private _post<T>(route: string, body: object): Promise<T> {
    return this._request(route, { method: 'POST', body: JSON.stringify(body) });
  }

  private async _request<T>(route: string, init: RequestInit = {}): Promise<T> {
    const signal = AbortSignal.timeout(LONGEST_MS);
    const response = await this._fetch(route, { ...init, signal });
    const body: unknown = await response.json().catch(() => null);
    if (body === null) {
      throw new RequestError(signal.aborted ? tooSlow() : problemOf(body, response));
    }
    return body as T;
  }

  /** The answer to a request, when it is a good one. */
  private async _fetch(route: string, init: RequestInit = {}): Promise<Response> {
    const url = URLExt.join(this.settings.baseUrl, ROOT, route);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this.settings);
    } catch {
      throw new RequestError(init.signal?.aborted ? tooSlow() : serverAway());
    }
    if (!response.ok) {
      throw new RequestError(problemOf(await response.json().catch(() => null), response));
    }
    return response;
  }
}

/** How far the sample incident is loaded, or what it is about once it is there. */
export type SampleLine = { file: string; done: number; of: number } | { loaded: NewInvestigation };

async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let pending = '';
  for (;;) {
    const { done, value } = await reader.read();
    const parts = (pending + decoder.decode(value, { stream: !done })).split('\n');
    pending = parts.pop() ?? '';
    yield* parts.filter(Boolean);
    if (done) {
      return;
    }
  }
}

const ROOT = 'investigation';

/** Above what the server itself waits for the broker. */
const LONGEST_MS = 100_000;

function tooSlow(): Problem {
  return {
    message: trans.__('The server did not answer in time.'),
    hint: trans.__('Try again: what you typed stays here.'),
    code: NO_ANSWER
  };
}

function serverAway(): Problem {
  return {
    message: trans.__('The Jupyter server does not answer.'),
    hint: trans.__('Check your connection and try again: what you typed stays here.'),
    code: NO_ANSWER
  };
}

/** Whether a response says that the login has expired. */
export async function isLoggedOut(response: Response): Promise<boolean> {
  if (response.ok) {
    return false;
  }
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => null);
  return problemOf(body, response).code === LOGGED_OUT;
}

function problemOf(body: unknown, response: Response): Problem {
  const error = (body as Partial<ErrorBody> | null)?.error;
  const isBare = response.status === 403 && (!error || error.message === 'Forbidden');
  if (response.status === 401 || isBare || error?.code === LOGGED_OUT) {
    return {
      message: trans.__('You are not logged in any more.'),
      hint: trans.__(
        'Log in again, in another tab, and then try again here: what you typed stays.'
      ),
      code: LOGGED_OUT
    };
  }
  if (error?.message) {
    return { message: error.message, hint: error.hint, code: error.code };
  }
  return {
    message: trans.__('The server answered %1 %2.', response.status, response.statusText),
    hint: trans.__('Its log says more.')
  };
}
