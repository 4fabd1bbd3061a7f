import type { IStateDB } from '@jupyterlab/statedb';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';
import { Folds, FoldsContext } from '../folds';
import { dataIcon } from '../icons';
import { trans } from '../translation';
import type { NewInvestigation } from '../types';
import type { DataModel } from './model';
import { DataView } from './view';

export const DATA_PANEL_ID = 'investigation-workspace-data';

/** The panel of what is in the store; it follows the store only while it is seen. */
export class DataPanel extends ReactWidget {
  constructor(
    model: DataModel,
    begin: (known: NewInvestigation) => void,
    stateDB: IStateDB | null
  ) {
    super();
    this._model = model;
    this._begin = begin;
    this._folds = new Folds(stateDB, () => this.update());
    this.id = DATA_PANEL_ID;
    this.addClass('jp-Investigation');
    this.title.icon = dataIcon;
    this.title.caption = trans.__('Telemetry data');
    this.node.tabIndex = -1;
    this.node.style.minWidth = '290px';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Telemetry data'));
  }

  protected override onAfterShow(message: Parameters<ReactWidget['processMessage']>[0]): void {
    super.onAfterShow(message);
    this._model.isWatched = true;
  }

  protected override onAfterHide(message: Parameters<ReactWidget['processMessage']>[0]): void {
    super.onAfterHide(message);
    this._model.isWatched = false;
  }

  protected override onActivateRequest(): void {
    this.node.focus();
  }

  protected override render(): React.ReactElement {
    return (
      <FoldsContext.Provider value={this._folds}>
        <UseSignal signal={this._model.stateChanged}>
          {() => <DataView model={this._model} begin={this._begin} />}
        </UseSignal>
      </FoldsContext.Provider>
    );
  }

  private readonly _model: DataModel;
  private readonly _begin: (known: NewInvestigation) => void;
  private readonly _folds: Folds;
}
