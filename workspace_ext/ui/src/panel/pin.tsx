import * as React from 'react';
import { problemIn, type Problem } from '../api';
import { actorName, ago, localTime } from '../format';
import type { InvestigationModel } from '../model';
import { trans } from '../translation';
import type { Catalogue, InvestigationState } from '../types';
import { useDraft } from '../drafts';
import { Buttons, useOpener } from './parts';
import { TextBox } from './textbox';
import { Refusal, Underway } from './trouble';

/** Which data everybody sees, how old that choice is, and the way to move it. */
export function PinRow(props: {
  model: InvestigationModel;
  state: InvestigationState;
  showData: () => void;
}): React.ReactElement {
  const { model, state, showData } = props;
  const [isMoving, setMoving] = React.useState(false);
  const opener = useOpener<HTMLButtonElement>(isMoving);
  const moved = state.pinned;
  const reason = model.whyNot('investigation.pinned');
  const why = moved
    ? trans.__('%1 moved it: %2', actorName(moved.by), moved.why)
    : trans.__('As it was when the investigation began.');
  return (
    <dd>
      <span
        title={`${trans.__('Everybody here reads the same data until somebody moves the pin.')} ${why}`}
      >
        {state.pin > 0 ? trans.__('batch %1', state.pin) : trans.__('none yet')}
        {' · '}
        {moved ? `${actorName(moved.by)}, ${ago(moved.at)}` : ago(state.opened_at)}
      </span>{' '}
      <button
        ref={opener}
        type="button"
        className="jp-Investigation-link"
        aria-expanded={isMoving}
        disabled={reason !== ''}
        title={reason}
        onClick={() => setMoving(!isMoving)}
      >
        {trans.__('Move pin…')}
      </button>
      {isMoving && <MovePin model={model} state={state} done={() => setMoving(false)} />}
      {state.pin === 0 && !isMoving && <NothingToRead model={model} showData={showData} />}
    </dd>
  );
}

/** For who began on an empty store: where data come from; once they came, that the pin is before them. */
function NothingToRead(props: {
  model: InvestigationModel;
  showData: () => void;
}): React.ReactElement {
  const { model, showData } = props;
  const [hasData, setHasData] = React.useState(false);
  React.useEffect(() => {
    const look = (): void =>
      void model.catalogue().then(
        catalogue => setHasData(catalogue.pin > 0),
        () => undefined // the panel says it by itself
      );
    look();
    const looking = window.setInterval(look, LOOK_MS);
    return () => window.clearInterval(looking);
  }, [model]);
  return hasData ? (
    <p role="status" className="jp-Investigation-warning">
      {trans.__('There are data now: move the pin to read them.')}
    </p>
  ) : (
    <p>
      <button type="button" className="jp-Investigation-link" onClick={showData}>
        {trans.__('How to get data…')}
      </button>
    </p>
  );
}

const LOOK_MS = 5000;

/**
 * Asks where to and why. What the person saw when they began is sent along, so that a move that
 * somebody else made meanwhile is told and not undone.
 */
function MovePin(props: {
  model: InvestigationModel;
  state: InvestigationState;
  done: () => void;
}): React.ReactElement {
  const { model, state, done } = props;
  const [from, setFrom] = React.useState(state.pin);
  const [catalogue, setCatalogue] = React.useState<Catalogue | null>(null);
  const [pin, setPin] = React.useState<number | null>(null);
  const [why, setWhy] = useDraft('pin');
  const [problem, setProblem] = React.useState<Problem | null>(null);
  const [isBusy, setBusy] = React.useState(false);
  React.useEffect(() => {
    model.catalogue().then(setCatalogue, error => setProblem(problemIn(error)));
  }, [model]);
  const meanwhile = state.pin !== from && state.pinned;
  const target = pin ?? catalogue?.pin ?? null;
  const leave = (): void => {
    setWhy('');
    done();
  };
  const move = async (event: React.FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const found = await model.say('investigation.pinned', { pin: target, from }, why);
    setBusy(false);
    setProblem(found);
    if (found === null) {
      leave();
    }
  };
  return (
    <form className="jp-Investigation-inset" onSubmit={event => void move(event)}>
      {meanwhile && (
        <p role="alert" className="jp-Investigation-warning">
          {trans.__(
            '%1 moved the pin to batch %2 meanwhile: %3',
            actorName(meanwhile.by),
            state.pin,
            meanwhile.why
          )}{' '}
          <button
            type="button"
            className="jp-Investigation-link"
            onClick={() => {
              setFrom(state.pin);
              setProblem(null);
            }}
          >
            {trans.__('Move it all the same')}
          </button>
        </p>
      )}
      <label>
        {trans.__('To')}
        <select
          className="jp-mod-styled"
          value={target ?? ''}
          onChange={event => setPin(Number(event.target.value))}
        >
          {(catalogue?.batches ?? []).map(({ batch_id, committed_at }) => (
            <option key={batch_id} value={batch_id}>
              {batch_id === catalogue?.pin
                ? trans.__('all there is now (batch %1 of %2)', batch_id, localTime(committed_at))
                : trans.__('batch %1 of %2', batch_id, localTime(committed_at))}
            </option>
          ))}
        </select>
      </label>
      <TextBox
        aria-label={trans.__('Reason')}
        placeholder={trans.__('Why shall everybody see other data?')}
        value={why}
        type={setWhy}
      />
      <Underway isBusy={isBusy} />
      <Refusal problem={meanwhile ? null : problem} />
      <Buttons
        done={trans.__('Move the pin')}
        disabled={isBusy || why.trim() === '' || target === null || Boolean(meanwhile)}
        cancel={leave}
      />
    </form>
  );
}
