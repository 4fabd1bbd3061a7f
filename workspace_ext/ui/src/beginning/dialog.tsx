import { Dialog } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';
import { problemIn, type Api, type Problem } from '../api';
import { keep, kept } from '../drafts';
import { Outbox } from '../outbox';
import { trans } from '../translation';
import type { Catalogue, NewInvestigation, NewNotebook } from '../types';
import { draftOf, read, wishOf, written, type Draft } from './draft';
import { BeginningForm } from './form';

/** Under which name this tab keeps what was filled in. */
const KEPT = 'beginning';

/**
 * Asks what is known of an investigation and makes its notebook; null when the person thought
 * better of it. What goes wrong is said in the dialog, which stays open with all that was typed; this
 * tab keeps it, so that it is there again after a reload.
 */
export async function begin(
  api: Api,
  directory: string,
  known: Partial<NewInvestigation> = {}
): Promise<NewNotebook | null> {
  const dialog = new BeginningDialog(new BeginningBody(api, directory, known));
  await dialog.launch();
  return dialog.made;
}

class BeginningDialog extends Dialog<NewInvestigation> {
  constructor(body: BeginningBody) {
    super({
      title: trans.__('New investigation'),
      body,
      buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Create') })],
      focusNodeSelector: 'input'
    });
    this._form = body;
    this.addClass('jp-Investigation-dialog');
  }

  /** The notebook, once it is made. */
  made: NewNotebook | null = null;

  /** A click beside the form is no wish to leave it: it may be the second one on the launcher's card. */
  override handleEvent(event: Event): void {
    if (event.type !== 'click' || event.target !== this.node) {
      super.handleEvent(event);
    }
  }

  /** Closes only when the notebook is there: see `begin`. */
  override resolve(index?: number): void {
    if (index === 0) {
      keep(KEPT, null);
      super.resolve(index);
    } else if (!this._form.isBusy && this.node.querySelector(':invalid, .jp-mod-error') === null) {
      void this._make(index);
    }
  }

  private async _make(index: number | undefined): Promise<void> {
    this.made = await this._form.make();
    if (this.made) {
      keep(KEPT, null);
      super.resolve(index);
    }
  }

  private readonly _form: BeginningBody;
}

class BeginningBody extends ReactWidget implements Dialog.IBodyWidget<NewInvestigation> {
  constructor(api: Api, directory: string, known: Partial<NewInvestigation>) {
    super();
    this._api = api;
    this._directory = directory;
    const left = Object.keys(known).length === 0 ? kept(KEPT) : null;
    this._draft = left === null ? draftOf(known, new Date()) : read(left, new Date());
    void this._learn();
  }

  /** Whether the notebook is being made. */
  get isBusy(): boolean {
    return this._isBusy;
  }

  getValue(): NewInvestigation {
    return { ...wishOf(this._draft, this._catalogue), directory: this._directory };
  }

  /** Makes the notebook; null when that failed, which the form says then. */
  async make(): Promise<NewNotebook | null> {
    this._problem = null;
    this._isBusy = true;
    this.update();
    let made: NewNotebook | null = null;
    const wish = this.getValue();
    this._problem = await this._outbox.send(wish, async id => {
      made = await this._api.create({ ...wish, id });
    });
    this._isBusy = false;
    this.update();
    return made;
  }

  protected override render(): React.ReactElement {
    return (
      <Checked node={this.node}>
        <BeginningForm
          draft={this._draft}
          catalogue={this._catalogue}
          unknown={this._unknown}
          problem={this._problem}
          isBusy={this._isBusy}
          change={part => this._change(part)}
        />
      </Checked>
    );
  }

  private _change(part: Partial<Draft>): void {
    const alert = 'choice' in part || 'alert' in part ? this._alertOf(part) : {};
    this._draft = { ...this._draft, ...part, ...alert };
    keep(KEPT, written(this._draft));
    this._problem = null;
    this.update();
  }

  /** What an alert says of the rest; what a person wrote stays. */
  private _alertOf(part: Partial<Draft>): Partial<Draft> {
    const { choice, alert: number, title, services } = { ...this._draft, ...part };
    const alert = choice === 'alert' ? this._catalogue?.alerts[number] : undefined;
    if (!alert) {
      return {};
    }
    return {
      title: title.trim() ? title : (alert.title ?? ''),
      services: services.length || !alert.service ? services : [alert.service]
    };
  }

  private async _learn(): Promise<void> {
    try {
      this._catalogue = await this._api.catalogue();
    } catch (error) {
      this._unknown = problemIn(error);
    }
    if (!this.isDisposed) {
      this.update();
    }
  }

  private readonly _api: Api;
  private readonly _directory: string;
  private readonly _outbox = new Outbox();
  private _draft: Draft;
  private _catalogue: Catalogue | null = null;
  private _unknown: Problem | null = null;
  private _problem: Problem | null = null;
  private _isBusy = false;
}

/** Lets the dialog look at the fields after each change; by itself it sees only what is typed. */
function Checked(props: { node: HTMLElement; children: React.ReactNode }): React.ReactElement {
  React.useEffect(() => {
    props.node.dispatchEvent(new Event('input', { bubbles: true }));
  });
  return <>{props.children}</>;
}
