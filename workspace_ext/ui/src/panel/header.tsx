import * as React from 'react';
import { localWindow, utcWindow } from '../format';
import type { InvestigationModel } from '../model';
import { trans } from '../translation';
import type { InvestigationState, WindowDict } from '../types';
import { Badge } from './parts';

/** What is investigated, on which data, and whether the panel is up to date. */
export function Header(props: {
  model: InvestigationModel;
  state: InvestigationState;
}): React.ReactElement {
  const { model, state } = props;
  const concluded = state.state === 'concluded';
  return (
    <header className="jp-Investigation-header">
      <h2>{state.title}</h2>
      <p className="jp-Investigation-badges">
        <Badge tone={concluded ? 'good' : 'plain'}>
          {concluded ? trans.__('Concluded') : trans.__('Open')}
        </Badge>
        {state.severity && <Badge tone="bad">{state.severity}</Badge>}
        <Live isLive={model.isLive} />
      </p>
      <dl>
        <dt>{trans.__('Data')}</dt>
        <dd title={trans.__('Everybody here reads the same data until somebody moves the pin.')}>
          {state.pin > 0 ? trans.__('up to batch %1', state.pin) : trans.__('none yet')}
        </dd>
        <WindowRow label={trans.__('Window')} window={state.window} />
        <WindowRow label={trans.__('Baseline')} window={state.baseline} />
        {state.services.length > 0 && (
          <>
            <dt>{trans.__('Services')}</dt>
            <dd>{state.services.join(', ')}</dd>
          </>
        )}
      </dl>
    </header>
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
