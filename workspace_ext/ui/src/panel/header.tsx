import * as React from 'react';
import type { Problem } from '../api';
import { ago, localWindow, sentence, utcWindow } from '../format';
import type { InvestigationModel } from '../model';
import type { Person } from '../presence';
import { trans } from '../translation';
import type { InvestigationState, Me, WindowDict } from '../types';
import { Badge, Menu } from './parts';
import { PinRow } from './pin';

/** What is investigated, on which data, by whom, and whether the panel is up to date. */
export function Header(props: {
  model: InvestigationModel;
  state: InvestigationState;
  showData: () => void;
}): React.ReactElement {
  const { model, state, showData } = props;
  const concluded = state.state === 'concluded';
  return (
    <header className="jp-Investigation-header">
      <h2 title={state.title}>{state.title}</h2>
      <p className="jp-Investigation-badges">
        <Badge tone={concluded ? 'good' : 'plain'}>
          {concluded ? trans.__('Concluded') : trans.__('Open')}
        </Badge>
        {state.severity && <Badge tone="bad">{state.severity}</Badge>}
        <span className="jp-Investigation-detail">
          {trans.__('begun %1', ago(state.opened_at))}
        </span>
        <Live isLive={model.isLive} />
      </p>
      <dl>
        <dt>{trans.__('Data')}</dt>
        <PinRow model={model} state={state} showData={showData} />
        <WindowRow label={trans.__('Window')} window={state.window} />
        <WindowRow label={trans.__('Baseline')} window={state.baseline} />
        {state.services.length > 0 && (
          <>
            <dt>{trans.__('Services')}</dt>
            <dd>{state.services.join(', ')}</dd>
          </>
        )}
        <People model={model} />
      </dl>
    </header>
  );
}

/** Those who have the notebook open, with what they are here; a lead may change that. */
function People(props: { model: InvestigationModel }): React.ReactElement | null {
  const { model } = props;
  const people = model.people;
  if (people.length === 0) {
    return null;
  }
  return (
    <>
      <dt>{trans.__('Here')}</dt>
      <dd className="jp-Investigation-people">
        {people.map(person => {
          const role = (person.isMe && model.me?.role) || person.role;
          const isGiven = !person.isMe && model.me?.may.includes('people');
          const said = [person.isMe ? trans.__('you') : '', (!isGiven && role) || ''].filter(
            Boolean
          );
          return (
            <span key={person.name} className="jp-Investigation-person">
              <i style={{ background: person.colour || 'var(--jp-ui-font-color3)' }} />
              {person.shown}
              {said.length > 0 && (
                <span className="jp-Investigation-detail"> ({said.join(', ')})</span>
              )}
              {isGiven && <RoleOf model={model} person={person} />}
            </span>
          );
        })}
      </dd>
    </>
  );
}

/** Gives somebody their role. */
function RoleOf(props: { model: InvestigationModel; person: Person }): React.ReactElement {
  const { model, person } = props;
  const [problem, setProblem] = React.useState<Problem | null>(null);
  return (
    <>
      <Menu
        aria-label={trans.__('Role of %1', person.shown)}
        title={problem ? `${problem.message} ${problem.hint}` : undefined}
        value={person.role}
        onChange={async event =>
          setProblem(await model.giveRole(person.name, event.target.value as Me['role']))
        }
      >
        {ROLES.map(role => (
          <option key={role}>{role}</option>
        ))}
      </Menu>
      {problem && (
        <span role="alert" className="jp-Investigation-error">
          {sentence(problem.message)}
        </span>
      )}
    </>
  );
}

const ROLES: Me['role'][] = ['lead', 'responder', 'viewer'];

function WindowRow(props: { label: string; window: WindowDict | null }): React.ReactElement | null {
  if (!props.window) {
    return null;
  }
  return (
    <>
      <dt>{props.label}</dt>
      <dd title={utcWindow(props.window)}>{localWindow(props.window)}</dd>
    </>
  );
}

function Live(props: { isLive: boolean }): React.ReactElement {
  return (
    <span className="jp-Investigation-live" data-live={props.isLive} role="status">
      {props.isLive ? trans.__('live') : trans.__('reconnecting…')}
    </span>
  );
}
