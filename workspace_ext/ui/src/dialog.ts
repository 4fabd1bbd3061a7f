import { Dialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';
import { trans } from './translation';

/** What people say about an investigation before it begins. */
export interface Beginning {
  title: string;
  severity: string;
}

const SEVERITIES = ['', 'SEV1', 'SEV2', 'SEV3', 'SEV4'];

/** Asks for title and severity; null when the person thought better of it. */
export async function askBeginning(): Promise<Beginning | null> {
  const form = new BeginningForm();
  const dialog = new Dialog({
    title: trans.__('New investigation'),
    body: form,
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Create') })],
    focusNodeSelector: 'input'
  });
  void dialog.ready.then(() => form.check());
  const result = await dialog.launch();
  return result.button.accept ? result.value : null;
}

class BeginningForm extends Widget implements Dialog.IBodyWidget<Beginning> {
  constructor() {
    super();
    this.addClass('jp-Investigation-form');
    this._title.name = 'title';
    this._title.required = true;
    this._title.maxLength = 200;
    this._title.pattern = '.*\\S.*';
    this._title.placeholder = trans.__('Checkout fails since 03:10');
    this._title.className = 'jp-mod-styled';
    this._severity.name = 'severity';
    this._severity.className = 'jp-mod-styled';
    this._severity.append(
      ...SEVERITIES.map(level => new Option(level || trans.__('not set'), level))
    );
    this.node.append(
      labelled(trans.__('Title'), this._title),
      labelled(trans.__('Severity'), this._severity)
    );
  }

  /** Lets the dialog look at what is filled in; by itself it looks at each input only. */
  check(): void {
    this._title.dispatchEvent(new Event('input', { bubbles: true }));
  }

  getValue(): Beginning {
    return { title: this._title.value.trim(), severity: this._severity.value };
  }

  private readonly _title = document.createElement('input');
  private readonly _severity = document.createElement('select');
}

function labelled(text: string, control: HTMLElement): HTMLLabelElement {
  const label = document.createElement('label');
  label.append(text, control);
  return label;
}
