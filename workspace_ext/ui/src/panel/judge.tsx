import * as React from 'react';
import type { Problem } from '../api';
import type { HypothesisState } from '../board';
import type { InvestigationModel } from '../model';
import { trans } from '../translation';
import type { Hypothesis } from '../types';
import { useDraft } from '../drafts';
import { stateLabel } from './labels';
import { Buttons } from './parts';
import { TextBox } from './textbox';
import { Refusal, Underway } from './trouble';

/** Asks why a hypothesis is to be in another state, and why despite its tests where they differ. */
export function JudgeForm(props: {
  model: InvestigationModel;
  hypothesis: Hypothesis;
  to: HypothesisState;
  done: () => void;
}): React.ReactElement {
  const { model, hypothesis, to, done } = props;
  const [why, setWhy] = useDraft(`judge ${hypothesis.id}`);
  const [despite, setDespite] = useDraft(`judge ${hypothesis.id} despite`);
  const [problem, setProblem] = React.useState<Problem | null>(null);
  const [isBusy, setBusy] = React.useState(false);
  const isUnproved = problem?.code === 'unproved' || despite !== '';
  const leave = (): void => {
    setWhy('');
    setDespite('');
    done();
  };
  const judge = async (event: React.FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const data = { hypothesis: hypothesis.id, state: to };
    const override = despite.trim() ? { override: despite.trim() } : {};
    const found = await model.say('hypothesis.changed', { ...data, ...override }, why);
    setBusy(false);
    setProblem(found);
    if (found === null) {
      leave();
    }
  };
  return (
    <form className="jp-Investigation-inset" onSubmit={event => void judge(event)}>
      <TextBox
        autoFocus
        aria-label={trans.__('Reason')}
        placeholder={trans.__('Why “%1”?', stateLabel(to))}
        value={why}
        type={setWhy}
      />
      {isUnproved && (
        <TextBox
          aria-label={trans.__('Despite its tests')}
          placeholder={trans.__('Why does it hold all the same?')}
          value={despite}
          type={setDespite}
        />
      )}
      <Underway isBusy={isBusy} />
      <Refusal problem={problem?.code === 'unproved' ? { ...problem, hint: '' } : problem} />
      <Buttons
        done={trans.__('Move to “%1”', stateLabel(to))}
        disabled={isBusy || why.trim() === ''}
        cancel={leave}
      />
    </form>
  );
}
