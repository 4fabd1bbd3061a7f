import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';
import type { Api } from '../api';
import { provenanceIcon } from '../icons';
import type { InvestigationModel } from '../model';
import { trans } from '../translation';
import { Provenances } from './provenances';

export const INSPECTOR_ID = 'investigation-workspace-provenance';

const View = React.lazy(async () => ({ default: (await import('./inspector')).Inspector }));

/** The view at the right that follows the active cell; it loads when it is first shown. */
export class ProvenanceInspector extends ReactWidget {
  constructor(model: InvestigationModel, api: Api) {
    super();
    this._model = model;
    this._provenances = new Provenances(api, () => this.update());
    this.id = INSPECTOR_ID;
    this.addClass('jp-Investigation');
    this.addClass('jp-InvestigationInspector');
    this.title.icon = provenanceIcon;
    this.title.caption = trans.__('Provenance');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Provenance'));
    this.node.tabIndex = -1;
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.update();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.update();
  }

  protected override onActivateRequest(): void {
    this.node.focus();
  }

  protected override render(): React.ReactElement | null {
    if (!this.isVisible) {
      return null;
    }
    return (
      <React.Suspense fallback={<p role="status">{trans.__('Loading…')}</p>}>
        <UseSignal signal={this._model.stateChanged}>
          {() => <View model={this._model} provenances={this._provenances} />}
        </UseSignal>
      </React.Suspense>
    );
  }

  private readonly _model: InvestigationModel;
  private readonly _provenances: Provenances;
}
