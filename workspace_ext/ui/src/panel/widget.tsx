import type { IStateDB } from '@jupyterlab/statedb';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';
import { Folds, FoldsContext } from '../folds';
import { investigationIcon } from '../icons';
import type { InvestigationModel } from '../model';
import { PanelView, type Actions } from './panel';
import { trans } from '../translation';

export const PANEL_ID = 'investigation-workspace-panel';

/** The right-hand panel. */
export class InvestigationPanel extends ReactWidget {
  constructor(model: InvestigationModel, actions: Actions, stateDB: IStateDB | null) {
    super();
    this._folds = new Folds(stateDB, () => this.update());
    this._model = model;
    this._actions = actions;
    this.id = PANEL_ID;
    this.addClass('jp-Investigation');
    this.title.icon = investigationIcon;
    this.title.caption = trans.__('Investigation');
    this.node.tabIndex = -1;
    this.node.style.minWidth = '290px'; // a style sheet would lose to the sidebar's own minimum
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Investigation'));
  }

  protected override render(): React.ReactElement {
    return (
      <FoldsContext.Provider value={this._folds}>
        <UseSignal signal={this._model.stateChanged}>
          {() => <PanelView model={this._model} actions={this._actions} />}
        </UseSignal>
      </FoldsContext.Provider>
    );
  }

  private readonly _model: InvestigationModel;
  private readonly _actions: Actions;
  private readonly _folds: Folds;
}
