import type { IStateDB } from '@jupyterlab/statedb';
import { ReactWidget, type LabIcon } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';
import { Folds, FoldsContext } from '../folds';

/** How often “5 min ago” is looked at again. */
const TICK_MS = 30_000;

/** A panel at a side: its sections stay as a person left them, and times that passed go on. */
export abstract class SidePanel extends ReactWidget {
  constructor(options: SidePanel.IOptions) {
    super();
    this._folds = new Folds(options.stateDB, () => this.update());
    this.id = options.id;
    this.addClass('jp-Investigation');
    this.title.icon = options.icon;
    this.title.caption = options.caption;
    this.node.tabIndex = -1;
    this.node.style.minWidth = '290px'; // a style sheet would lose to the sidebar's own minimum
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', options.caption);
  }

  override dispose(): void {
    window.clearInterval(this._ticking);
    super.dispose();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.update();
    this._ticking = window.setInterval(() => this.update(), TICK_MS);
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    window.clearInterval(this._ticking);
  }

  protected override render(): React.ReactElement {
    return <FoldsContext.Provider value={this._folds}>{this.content()}</FoldsContext.Provider>;
  }

  /** What it shows right now. */
  protected abstract content(): React.ReactElement;

  private readonly _folds: Folds;
  private _ticking: number | undefined = undefined;
}

export namespace SidePanel {
  export interface IOptions {
    id: string;
    icon: LabIcon;
    /** Its name, for eyes and for ears. */
    caption: string;
    stateDB: IStateDB | null;
  }
}
