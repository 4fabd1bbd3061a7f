import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';
import type { Api } from '../api';
import { historyIcon } from '../icons';
import type { InvestigationModel } from '../model';
import { trans } from '../translation';
import { HistoryModel } from './model';

const View = React.lazy(async () => ({ default: (await import('./view')).HistoryView }));

/** A tab with the history of one notebook; it stays up to date while the notebook is in front. */
export class HistoryWidget extends ReactWidget {
  constructor(model: InvestigationModel, api: Api, path: string) {
    super();
    this._model = model;
    this._history = new HistoryModel(api, path);
    this.id = `investigation-workspace-history-${path}`;
    this.addClass('jp-Investigation');
    this.addClass('jp-InvestigationHistory');
    this.title.icon = historyIcon;
    this.title.label = trans.__('History of %1', path.split('/').at(-1) ?? path);
    this.title.closable = true;
    this.node.tabIndex = -1;
    model.stateChanged.connect(this._onModel, this);
    void this._history.refresh();
  }

  /** The notebook whose history it is. */
  get path(): string {
    return this._history.path;
  }

  override dispose(): void {
    this._model.stateChanged.disconnect(this._onModel, this);
    window.clearTimeout(this._timer);
    this._history.dispose();
    super.dispose();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    // The tab that holds it has called it “main area content”.
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', this.title.label);
  }

  protected override onAfterShow(): void {
    void this._history.refresh();
  }

  protected override onActivateRequest(): void {
    this.node.focus();
  }

  protected override render(): React.ReactElement {
    return (
      <React.Suspense fallback={<p role="status">{trans.__('Loading…')}</p>}>
        <UseSignal signal={this._history.stateChanged}>
          {() => <View history={this._history} model={this._model} />}
        </UseSignal>
      </React.Suspense>
    );
  }

  /** With every save, and with every entry of the ledger, there may be a version. */
  private _onModel(): void {
    const state = this._model.investigation;
    if (this._model.notebook?.context.localPath !== this.path || !state) {
      return;
    }
    const review = this._model.reviews?.review?.steps.length ?? 0;
    const seen = `${state.seq} ${this._model.saves} ${review}`;
    if (seen !== this._seen) {
      this._seen = seen;
      window.clearTimeout(this._timer);
      this._timer = window.setTimeout(() => void this._history.refresh(), GATHER_MS);
    }
  }

  private readonly _model: InvestigationModel;
  private readonly _history: HistoryModel;
  private _seen = '';
  private _timer: number | undefined = undefined;
}

/** A version is on record a moment after its file was written. */
const GATHER_MS = 1000;
