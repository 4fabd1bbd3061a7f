import * as React from 'react';
import type { Problem } from '../api';
import type { InvestigationModel } from '../model';
import { trans } from '../translation';
import { useDraft } from '../drafts';
import { Buttons, useOpener } from './parts';
import { TextBox } from './textbox';
import { Refusal, Underway } from './trouble';

/** A hypothesis, said in the panel; one that code states or a text cell does needs none. */
export function ProposeForm(props: {
  model: InvestigationModel;
  isFirst: boolean;
}): React.ReactElement {
  const { model, isFirst } = props;
  const [text, setText] = useDraft('hypothesis');
  const [prediction, setPrediction] = useDraft('prediction');
  const [isOpen, setOpen] = React.useState(text !== '' || prediction !== '');
  const [isBusy, setBusy] = React.useState(false);
  const [problem, setProblem] = React.useState<Problem | null>(null);
  const opener = useOpener<HTMLButtonElement>(isOpen);
  const reason = model.whyNot('hypothesis.proposed');
  const leave = (): void => {
    setText('');
    setPrediction('');
    setOpen(false);
  };
  const propose = async (event: React.FormEvent): Promise<void> => {
    event.preventDefault();
    const said = { text: text.trim(), prediction: prediction.trim() };
    setBusy(true);
    const found = await model.say('hypothesis.proposed', said);
    setBusy(false);
    setProblem(found);
    if (found === null) {
      leave();
    }
  };
  if (!isOpen) {
    return (
      <p className="jp-Investigation-empty">
        {isFirst && `${trans.__('What do you believe, and what must show if it is true?')} `}
        <button
          ref={opener}
          type="button"
          className="jp-Investigation-link"
          disabled={reason !== ''}
          title={reason}
          onClick={() => setOpen(true)}
        >
          {trans.__('State a hypothesis')}
        </button>
      </p>
    );
  }
  return (
    <form className="jp-Investigation-inset" onSubmit={event => void propose(event)}>
      <TextBox
        autoFocus
        aria-label={trans.__('Hypothesis')}
        placeholder={trans.__('The cart exhausts its pool')}
        value={text}
        type={setText}
      />
      <TextBox
        aria-label={trans.__('Prediction')}
        placeholder={trans.__('If it is true: pool waits rise before errors do')}
        value={prediction}
        type={setPrediction}
      />
      <Underway isBusy={isBusy} />
      <Refusal problem={problem} />
      <Buttons done={trans.__('State it')} disabled={isBusy || text.trim() === ''} cancel={leave} />
    </form>
  );
}
