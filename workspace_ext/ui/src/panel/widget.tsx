import type { IStateDB } from '@jupyterlab/statedb';
import { UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';
import { investigationIcon } from '../icons';
import type { InvestigationModel } from '../model';
import { PanelView, type Actions } from './panel';
import { SidePanel } from './side';
import { trans } from '../translation';

export const PANEL_ID = 'investigation-workspace-panel';

/** The right-hand panel. */
export class InvestigationPanel extends SidePanel {
  constructor(model: InvestigationModel, actions: Actions, stateDB: IStateDB | null) {
    super({ id: PANEL_ID, icon: investigationIcon, caption: trans.__('Investigation'), stateDB });
    this._model = model;
    this._actions = actions;
  }

  protected override content(): React.ReactElement {
    return (
      <UseSignal signal={this._model.stateChanged}>
        {() => <PanelView model={this._model} actions={this._actions} />}
      </UseSignal>
    );
  }

  private readonly _model: InvestigationModel;
  private readonly _actions: Actions;
}
