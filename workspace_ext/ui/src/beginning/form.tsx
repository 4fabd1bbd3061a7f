import * as React from 'react';
import type { Problem } from '../api';
import { clockZone, localTime, localWindow, utcWindow } from '../format';
import { Refusal, Underway } from '../panel/trouble';
import { trans } from '../translation';
import type { Catalogue, WindowDict } from '../types';
import { windowOf, type Draft } from './draft';
import { PinField } from './pin';
import { ServicesField } from './services';
import { compared, hasData, newestRecord, wrong, zoneName, type Comparison } from './window';
import { AlertField, TimesField, WindowChoice } from './windowfields';

const SEVERITIES = ['SEV1', 'SEV2', 'SEV3', 'SEV4'];

/** The form of a new investigation. */
export function BeginningForm(props: {
  draft: Draft;
  catalogue: Catalogue | null;
  unknown: Problem | null;
  problem: Problem | null;
  isBusy: boolean;
  change: (part: Partial<Draft>) => void;
}): React.ReactElement {
  const { draft, catalogue, unknown, problem, change } = props;
  const severities = new Set([...SEVERITIES, ...(draft.severity ? [draft.severity] : [])]);
  return (
    <div className="jp-Investigation-form jp-Investigation-beginning">
      <label>
        {trans.__('Title')}
        <input
          name="title"
          className="jp-mod-styled"
          required
          maxLength={200}
          pattern=".*\S.*"
          placeholder={trans.__('Checkout fails since 03:10')}
          value={draft.title}
          onChange={event => change({ title: event.target.value })}
        />
      </label>
      <div className="jp-Investigation-row">
        <label>
          {trans.__('Severity')}
          <select
            name="severity"
            className="jp-mod-styled"
            value={draft.severity}
            onChange={event => change({ severity: event.target.value })}
          >
            <option value="">{trans.__('not set')}</option>
            {[...severities].map(level => (
              <option key={level}>{level}</option>
            ))}
          </select>
        </label>
        <ServicesField
          known={catalogue?.services ?? []}
          chosen={draft.services}
          typed={draft.typed}
          change={change}
        />
      </div>
      <WindowPart draft={draft} catalogue={catalogue} change={change} />
      <PinField catalogue={catalogue} pin={draft.pin} change={change} />
      {unknown && (
        <p className="jp-Investigation-detail">
          {unknown.code === 'no_store'
            ? trans.__('There is no store yet: it is made with this investigation.')
            : trans.__('Services and alerts cannot be offered now: %1', unknown.message)}
        </p>
      )}
      <Underway isBusy={props.isBusy} />
      <Refusal problem={problem} />
    </div>
  );
}

function WindowPart(props: {
  draft: Draft;
  catalogue: Catalogue | null;
  change: (part: Partial<Draft>) => void;
}): React.ReactElement {
  const { draft, catalogue, change } = props;
  const window = windowOf(draft, catalogue);
  const fault = draft.choice === 'times' ? wrong(window) : '';
  return (
    <fieldset>
      <legend>{trans.__('When it hurts')}</legend>
      <WindowChoice
        choice={draft.choice}
        hasAlerts={(catalogue?.alerts.length ?? 0) > 0}
        choose={choice => change({ choice, end: new Date(), times: window ?? draft.times })}
      />
      {draft.choice === 'alert' && (
        <AlertField alerts={catalogue?.alerts ?? []} chosen={draft.alert} change={change} />
      )}
      {draft.choice === 'times' && (
        <TimesField window={draft.times} fault={fault} change={change} />
      )}
      {draft.choice === 'times' && (!window || fault) && (
        <p className="jp-Investigation-detail">{zoneName(draft.end)}</p>
      )}
      {window && !fault && (
        <>
          <p className="jp-Investigation-detail" data-stored>
            {clockZone() === 'UTC'
              ? utcWindow(window)
              : [
                  draft.choice !== 'times' && localWindow(window),
                  trans.__('%1 · stored as %2', zoneName(new Date(window.start)), utcWindow(window))
                ]
                  .filter(Boolean)
                  .join(' · ')}
          </p>
          <Emptiness window={window} catalogue={catalogue} change={change} draft={draft} />
          <Baseline window={window} catalogue={catalogue} draft={draft} change={change} />
        </>
      )}
    </fieldset>
  );
}

/** Says before the first query, not after it, that there is nothing to ask about. */
function Emptiness(props: {
  window: WindowDict;
  catalogue: Catalogue | null;
  draft: Draft;
  change: (part: Partial<Draft>) => void;
}): React.ReactElement | null {
  const { window, catalogue, draft, change } = props;
  if (catalogue === null || hasData(window, catalogue.signals)) {
    return null;
  }
  const newest = newestRecord(catalogue.signals);
  if (newest === null) {
    return (
      <p className="jp-Investigation-warning">
        {trans.__('The store is empty: the panel Data says how to send something.')}
      </p>
    );
  }
  const end = new Date(Date.parse(newest) + 1000);
  const inTimes = draft.choice === 'times' || draft.choice === 'alert';
  return (
    <p className="jp-Investigation-warning">
      {trans.__('No data in this window; the newest record is of %1.', localTime(newest))}{' '}
      {!inTimes && (
        <button type="button" className="jp-Investigation-link" onClick={() => change({ end })}>
          {trans.__('End the window at the newest record')}
        </button>
      )}
    </p>
  );
}

function Baseline(props: {
  window: WindowDict;
  catalogue: Catalogue | null;
  draft: Draft;
  change: (part: Partial<Draft>) => void;
}): React.ReactElement {
  const baseline = compared(props.window, props.draft.comparison);
  const signals = props.catalogue?.signals;
  const isLonely =
    baseline && signals && hasData(props.window, signals) && !hasData(baseline, signals);
  return (
    <label>
      {trans.__('Compared with (the baseline)')}
      <select
        name="baseline"
        className="jp-mod-styled"
        value={props.draft.comparison}
        onChange={event => props.change({ comparison: event.target.value as Comparison })}
      >
        <option value="before">{trans.__('the time just before it')}</option>
        <option value="day">{trans.__('the same time a day earlier')}</option>
        <option value="week">{trans.__('the same time a week earlier')}</option>
        <option value="none">{trans.__('nothing yet')}</option>
      </select>
      {baseline && <span className="jp-Investigation-detail">{localWindow(baseline)}</span>}
      {isLonely && (
        <p className="jp-Investigation-warning">
          {trans.__('No data then: there will be nothing to compare with.')}
        </p>
      )}
    </label>
  );
}
