import * as React from 'react';
import type { Problem } from '../api';
import { useDraft } from '../drafts';
import { trans } from '../translation';
import { TextBox } from './textbox';
import { Refusal, Underway } from './trouble';

/** Something that can be done with a text; gives what stood in the way, if anything did. */
export interface SayButton {
  label: string;
  run: (text: string) => Promise<Problem | null>;
  /** Why the person may not do this one; empty when they may. */
  whyNot?: string;
}

/** A text box with its buttons, of which an only one has a key; what was typed stays until it was taken. */
export function SayForm(props: {
  label: string;
  /** The name of what is typed, among the drafts of an investigation. */
  draft: string;
  buttons: SayButton[];
  optional?: boolean;
  /** Why the person may not say it; empty when they may. */
  whyNot?: string;
}): React.ReactElement {
  const { label, draft, buttons, optional, whyNot = '' } = props;
  const [text, setText] = useDraft(draft);
  const [problem, setProblem] = React.useState<Problem | null>(null);
  const [isBusy, setBusy] = React.useState(false);
  const send = async (button: SayButton): Promise<void> => {
    setBusy(true);
    const found = await button.run(text.trim());
    setBusy(false);
    setProblem(found);
    if (found === null) {
      setText('');
    }
  };
  return (
    <form onSubmit={event => event.preventDefault()}>
      <TextBox
        aria-label={label}
        maxLength={20000}
        placeholder={optional ? trans.__('%1 (if you like)', label) : label}
        value={text}
        disabled={whyNot !== ''}
        title={whyNot}
        type={setText}
      />
      <div className="jp-Investigation-buttons">
        {buttons.map(button => (
          <button
            key={button.label}
            type={buttons.length === 1 ? 'submit' : 'button'}
            className="jp-mod-styled"
            disabled={isBusy || !!(whyNot || button.whyNot) || (!optional && text.trim() === '')}
            title={whyNot || button.whyNot}
            onClick={() => void send(button)}
          >
            {button.label}
          </button>
        ))}
      </div>
      <Underway isBusy={isBusy} />
      <Refusal problem={problem} />
    </form>
  );
}
