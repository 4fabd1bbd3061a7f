import { UUID } from '@lumino/coreutils';
import * as React from 'react';
import { clock, elapsed, following, read, written } from '../agenda';
import type { Problem } from '../api';
import { useDraft } from '../drafts';
import type { InvestigationModel } from '../model';
import { trans } from '../translation';
import type { Agenda, InvestigationState } from '../types';
import { Buttons, Section, useOpener } from './parts';
import { TextBox } from './textbox';
import { Refusal } from './trouble';

const NONE: Agenda = { items: [], current: null, since: null, by: null };

/** What the team goes through, where it is, and for how long; the same for everybody. */
export function AgendaSection(props: {
  model: InvestigationModel;
  state: InvestigationState;
}): React.ReactElement | null {
  const { model, state } = props;
  const agenda = state.agenda ?? NONE;
  const [text, setText] = useDraft('agenda');
  const [isEditing, setEditing] = React.useState(text !== '');
  const [problem, setProblem] = React.useState<Problem | null>(null);
  const opener = useOpener<HTMLButtonElement>(isEditing);
  const reason = model.whyNot('agenda.changed');
  const go = async (data: Record<string, unknown>): Promise<Problem | null> => {
    const found = await model.say('agenda.changed', data);
    setProblem(found);
    return found;
  };
  const leave = (): void => {
    setText('');
    setEditing(false);
  };
  const next = following(agenda);
  const current = agenda.items.find(item => item.id === agenda.current);
  return (
    <>
      <Section
        id="agenda"
        title={trans.__('Agenda')}
        closed
        aside={
          <span className="jp-Investigation-aside" data-current>
            {current && (
              <>
                <span className="jp-Investigation-now">{current.title}</span>{' '}
                <Timer agenda={agenda} minutes={current.minutes} />
              </>
            )}
            {agenda.items.length > 0 && (
              <button
                type="button"
                className="jp-Investigation-link"
                disabled={reason !== '' || (!next && !current)}
                title={reason || (next ? next.title : '')}
                onClick={event => {
                  event.preventDefault(); // the line it stands in opens and closes the section
                  void go({ current: next ? next.id : null });
                }}
              >
                {!current ? trans.__('Begin') : next ? trans.__('Next') : trans.__('End')}
              </button>
            )}
          </span>
        }
      >
        <ol className="jp-Investigation-agenda">
          {agenda.items.map(item => (
            <li key={item.id} aria-current={item.id === agenda.current ? 'step' : undefined}>
              <button
                type="button"
                disabled={reason !== ''}
                title={reason || trans.__('Go to this item')}
                onClick={() => void go({ current: item.id })}
              >
                {item.title}
              </button>
              <span className="jp-Investigation-detail">{trans.__('%1 min', item.minutes)}</span>
            </li>
          ))}
        </ol>
        {isEditing ? (
          <Edit
            text={text}
            type={setText}
            save={async () => {
              const newId = (): string => UUID.uuid4().slice(0, 8);
              if ((await go({ items: read(text, agenda.items, newId) })) === null) {
                leave();
              }
            }}
            cancel={leave}
          />
        ) : (
          <button
            ref={opener}
            type="button"
            className="jp-Investigation-link"
            disabled={reason !== ''}
            title={reason}
            onClick={() => {
              setText(written(agenda.items));
              setEditing(true);
            }}
          >
            {trans.__('Change the agenda…')}
          </button>
        )}
      </Section>
      <Refusal problem={problem} />
    </>
  );
}

/** For how long the current item has been on, of how long was planned. */
function Timer(props: { agenda: Agenda; minutes: number }): React.ReactElement {
  const { agenda, minutes } = props;
  const [now, setNow] = React.useState(() => new Date());
  React.useEffect(() => {
    const ticking = window.setInterval(() => setNow(new Date()), 1000);
    return () => window.clearInterval(ticking);
  }, []);
  const seconds = elapsed(agenda, now);
  return (
    <span className="jp-Investigation-timer" data-over={minutes > 0 && seconds > minutes * 60}>
      {clock(seconds)}
      {minutes > 0 && ` / ${trans.__('%1 min', minutes)}`}
    </span>
  );
}

function Edit(props: {
  text: string;
  type: (text: string) => void;
  save: () => Promise<void>;
  cancel: () => void;
}): React.ReactElement {
  const save = (event: React.FormEvent): void => {
    event.preventDefault();
    void props.save();
  };
  return (
    <form className="jp-Investigation-inset" onSubmit={save}>
      <label>
        {trans.__('A line an item, its minutes at the end')}
        <TextBox autoFocus rows={6} maxLength={undefined} value={props.text} type={props.type} />
      </label>
      <Buttons done={trans.__('Save')} cancel={props.cancel} />
    </form>
  );
}
