import type { NotebookPanel } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';

/** Somebody who has the notebook open. */
export interface Person {
  name: string;
  shown: string;
  colour: string;
  /** What they are here, as the server says; empty where it does not. */
  role: string;
  isMe: boolean;
}

interface Presented {
  user?: { username?: string; name?: string; display_name?: string; color?: string; role?: string };
}

/** The states of a shared document's users, by the number of their browser. */
interface Awareness {
  readonly clientID: number;
  getStates(): Map<number, unknown>;
  getLocalState(): object | null;
  setLocalState(state: object): void;
  on(event: 'change', changed: Changed): void;
  off(event: 'change', changed: Changed): void;
}

type Changed = (clients: { added: number[] }) => void;

/** Who is here: those who have the notebook open, as the server names them. */
export class Presence implements IDisposable {
  constructor(panel: NotebookPanel, changed: () => void) {
    this._changed = changed;
    void panel.context.ready.then(() => {
      if (!this._isDisposed) {
        this._awareness = (panel.model?.sharedModel as { awareness?: Awareness }).awareness ?? null;
        this._awareness?.on('change', this._onChange);
        changed();
      }
    });
  }

  /** Each person once, in how many windows they may be; those who are here first me. */
  get people(): Person[] {
    return this._awareness ? peopleIn(this._awareness.getStates(), this._awareness.clientID) : [];
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this._awareness?.off('change', this._onChange);
  }

  /**
   * Browsers say who they are when they come, and then every 15 s: who comes later would not know
   * until then who is there. So each says it again to somebody new.
   */
  private readonly _onChange: Changed = ({ added }) => {
    const awareness = this._awareness;
    const mine = awareness?.getLocalState();
    if (awareness && mine && added.some(client => client !== awareness.clientID)) {
      awareness.setLocalState(mine);
    }
    this._changed();
  };

  private readonly _changed: () => void;
  private _awareness: Awareness | null = null;
  private _isDisposed = false;
}

/** The people in the states of a document, each once: me first, then by name. */
export function peopleIn(states: Map<number, unknown>, mine: number): Person[] {
  const found = new Map<string, Person>();
  for (const [client, state] of states) {
    const user = (state as Presented | null)?.user;
    const name = user?.username ?? user?.name;
    if (user && name) {
      const isMe = client === mine || (found.get(name)?.isMe ?? false);
      const shown = user.display_name || user.name || name;
      found.set(name, { name, shown, colour: user.color ?? '', role: user.role ?? '', isMe });
    }
  }
  return [...found.values()].sort(
    (a, b) => Number(b.isMe) - Number(a.isMe) || a.shown.localeCompare(b.shown)
  );
}
