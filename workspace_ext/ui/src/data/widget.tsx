import type { IStateDB } from '@jupyterlab/statedb';
import { UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';
import { dataIcon } from '../icons';
import { SidePanel } from '../panel/side';
import { trans } from '../translation';
import type { NewInvestigation } from '../types';
import type { DataModel } from './model';
import { DataView } from './view';

export const DATA_PANEL_ID = 'investigation-workspace-data';

/** The panel of what is in the store; it follows the store only while it is seen. */
export class DataPanel extends SidePanel {
  constructor(
    model: DataModel,
    begin: (known: NewInvestigation) => void,
    stateDB: IStateDB | null
  ) {
    super({ id: DATA_PANEL_ID, icon: dataIcon, caption: trans.__('Telemetry data'), stateDB });
    this._model = model;
    this._begin = begin;
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._model.isWatched = true;
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._model.isWatched = false;
  }

  protected override onActivateRequest(): void {
    this.node.focus();
  }

  protected override content(): React.ReactElement {
    return (
      <UseSignal signal={this._model.stateChanged}>
        {() => <DataView model={this._model} begin={this._begin} />}
      </UseSignal>
    );
  }

  private readonly _model: DataModel;
  private readonly _begin: (known: NewInvestigation) => void;
}
