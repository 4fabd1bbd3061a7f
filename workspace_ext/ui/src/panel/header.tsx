import * as React from 'react';
import { actorName, ago, localWindow, utcWindow } from '../format';
import type { InvestigationModel } from '../model';
import { trans } from '../translation';
import type { InvestigationState, WindowDict } from '../types';
import { Badge } from './parts';
import { PinRow } from './pin';

/** What is investigated, on which data, by whom, and whether the panel is up to date. */
export function Header(props: {
  model: InvestigationModel;
  state: InvestigationState;
}): React.ReactElement {
  const { model, state } = props;
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
        <PinRow model={model} state={state} />
        <WindowRow label={trans.__('Window')} window={state.window} />
        <WindowRow label={trans.__('Baseline')} window={state.baseline} />
        {state.services.length > 0 && (
          <>
            <dt>{trans.__('Services')}</dt>
            <dd>{state.services.join(', ')}</dd>
          </>
        )}
        <People model={model} state={state} />
      </dl>
    </header>
  );
}

/** Those who have the notebook open, with what they are here. */
function People(props: {
  model: InvestigationModel;
  state: InvestigationState;
}): React.ReactElement | null {
  const { model, state } = props;
  const people = model.people;
  if (people.length === 0) {
    return null;
  }
  const roles = new Map(
    Object.entries(state.participants).map(([actor, role]) => [actorName(actor), role])
  );
  return (
    <>
      <dt>{trans.__('Here')}</dt>
      <dd className="jp-Investigation-people">
        {people.map(person => {
          const mine = person.isMe ? model.me?.role : undefined;
          const role = mine ?? roles.get(person.name) ?? roles.get(person.shown);
          const said = [person.isMe ? trans.__('you') : '', role ?? ''].filter(Boolean);
          return (
            <span key={person.name} className="jp-Investigation-person">
              <i style={{ background: person.colour || 'var(--jp-ui-font-color3)' }} />
              {person.shown}
              {said.length > 0 && (
                <span className="jp-Investigation-detail"> ({said.join(', ')})</span>
              )}
            </span>
          );
        })}
      </dd>
    </>
  );
}

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
