import * as React from 'react';
import type { Problem } from '../api';
import { actorName } from '../format';
import type { InvestigationModel } from '../model';
import { trans } from '../translation';
import type { ActionItem, InvestigationState } from '../types';
import { useDraft } from '../drafts';
import { noteLabel } from './labels';
import { Badge, Byline, CellLink, Prose, Section } from './parts';
import { Refusal, Underway } from './trouble';

/** What is to be done and by whom, what was decided and why, findings and notes. */
export function Decisions(props: {
  model: InvestigationModel;
  state: InvestigationState;
}): React.ReactElement {
  const { model, state } = props;
  const actions = Object.values(state.actions).sort(
    (a, b) => Number(a.done) - Number(b.done) || a.at.localeCompare(b.at)
  );
  const notes = Object.values(state.notes)
    .filter(note => note.superseded_by === null)
    .sort((a, b) => b.at.localeCompare(a.at));
  const size = actions.length + notes.length;
  const open = actions.filter(action => !action.done).length;
  return (
    <Section
      id="decisions"
      title={trans.__('Decisions and actions')}
      size={size}
      aside={
        open > 0 && (
          <span className="jp-Investigation-aside">{trans._n('%1 to do', '%1 to do', open)}</span>
        )
      }
    >
      <ul>
        {actions.map(action => (
          <Action key={action.id} action={action} model={model} />
        ))}
        {notes.map(note => (
          <li key={note.id} data-note={note.kind}>
            <p>
              {noteLabel(note.kind) && <Badge tone="note">{noteLabel(note.kind)}</Badge>}{' '}
              <Prose text={note.text} />
            </p>
            {note.because && (
              <p className="jp-Investigation-detail">{trans.__('Because %1', note.because)}</p>
            )}
            <p className="jp-Investigation-byline">
              <Byline by={note.by} at={note.at} /> <CellLink model={model} cell={note.cell} />
            </p>
          </li>
        ))}
      </ul>
      {model.whyNot('note.added') === '' ? (
        <Say model={model} people={peopleOf(model, state)} />
      ) : (
        size === 0 && (
          <p className="jp-Investigation-empty">{trans.__('Nothing was decided yet.')}</p>
        )
      )}
    </Section>
  );
}

function peopleOf(model: InvestigationModel, state: InvestigationState): string[] {
  const known = Object.keys(state.participants).map(actorName);
  return [...new Set([...model.people.map(person => person.name), ...known])];
}

/** An action: its box ticks it off, for everybody. */
function Action(props: { action: ActionItem; model: InvestigationModel }): React.ReactElement {
  const { action, model } = props;
  const [problem, setProblem] = React.useState<Problem | null>(null);
  const [wanted, setWanted] = React.useState<boolean | null>(null);
  React.useEffect(() => setWanted(null), [action.done]);
  const reason = model.whyNot('action.changed');
  const tick = async (done: boolean): Promise<void> => {
    setWanted(done);
    const found = await model.say('action.changed', { action: action.id, done });
    setProblem(found);
    setWanted(found === null ? done : null);
  };
  return (
    <li data-action={action.done ? 'done' : 'open'}>
      <label className="jp-Investigation-tick" title={reason}>
        <input
          type="checkbox"
          checked={wanted ?? action.done}
          disabled={reason !== ''}
          onChange={event => void tick(event.target.checked)}
        />
        <span>
          <Prose text={action.text} />
        </span>
      </label>
      <p className="jp-Investigation-byline">
        <strong>
          {action.owner ? trans.__('for %1', action.owner) : trans.__('for nobody yet')}
        </strong>
        {action.done && action.done_by && action.done_at ? (
          <>
            <span>{trans.__('done:')}</span>
            <Byline by={action.done_by} at={action.done_at} />
          </>
        ) : (
          <Byline by={action.by} at={action.at} />
        )}
        <CellLink model={model} cell={action.cell} />
      </p>
      <Refusal problem={problem} />
    </li>
  );
}

const EVENTS = {
  action: 'action.added',
  decision: 'decision.made',
  finding: 'finding.added',
  note: 'note.added'
} as const;

type Said = keyof typeof EVENTS;

/** One line to say any of it; what was typed stays until it is on record. */
function Say(props: { model: InvestigationModel; people: string[] }): React.ReactElement {
  const { model, people } = props;
  const list = React.useId();
  const [kind, setKind] = React.useState<Said>('action');
  const [text, setText] = useDraft('say');
  const [more, setMore] = useDraft('say more');
  const [isBusy, setBusy] = React.useState(false);
  const [problem, setProblem] = React.useState<Problem | null>(null);
  const labels: Record<Said, string> = {
    action: trans.__('Action'),
    decision: trans.__('Decision'),
    finding: trans.__('Finding'),
    note: trans.__('Note')
  };
  const say = async (event: React.FormEvent): Promise<void> => {
    event.preventDefault();
    const own = kind === 'action' ? { owner: more.trim() } : { because: more.trim() };
    const asks = kind === 'action' || kind === 'decision';
    setBusy(true);
    const found = await model.say(EVENTS[kind], { text: text.trim(), ...(asks ? own : {}) });
    setBusy(false);
    setProblem(found);
    if (found === null) {
      setText('');
      setMore('');
    }
  };
  return (
    <form className="jp-Investigation-record" onSubmit={event => void say(event)}>
      <select
        className="jp-mod-styled"
        aria-label={trans.__('What to put on record')}
        value={kind}
        onChange={event => setKind(event.target.value as Said)}
      >
        {(Object.keys(EVENTS) as Said[]).map(each => (
          <option key={each} value={each}>
            {labels[each]}
          </option>
        ))}
      </select>
      <input
        className="jp-mod-styled"
        aria-label={labels[kind]}
        placeholder={
          kind === 'action' ? trans.__('What is to be done?') : trans.__('In a sentence')
        }
        maxLength={2000}
        value={text}
        onChange={event => setText(event.target.value)}
      />
      {(kind === 'action' || kind === 'decision') && (
        <input
          className="jp-mod-styled"
          aria-label={kind === 'action' ? trans.__('Owner') : trans.__('Because')}
          placeholder={kind === 'action' ? trans.__('Owner') : trans.__('because…')}
          list={kind === 'action' ? list : undefined}
          maxLength={kind === 'action' ? 200 : 2000}
          value={more}
          onChange={event => setMore(event.target.value)}
        />
      )}
      <datalist id={list}>
        {people.map(name => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <button className="jp-mod-styled jp-mod-minimal" disabled={isBusy || text.trim() === ''}>
        {trans.__('Add')}
      </button>
      <Underway isBusy={isBusy} />
      <Refusal problem={problem} />
    </form>
  );
}
