import * as React from 'react';
import { duration, sentence } from '../format';
import type { InvestigationModel } from '../model';
import { headline, outcome, wording } from '../query';
import { errorBesides, type Entry } from '../timeline';
import { trans } from '../translation';
import type { Happening, InvestigationState, QuerySummary, Step } from '../types';
import { sayingLabel, statusLabel } from './labels';
import {
  Badge,
  Byline,
  CellLink,
  Moment,
  Prose,
  Some,
  UnreviewedScripts,
  UnreviewedTemplate
} from './parts';

const SIGNS: Record<Step['status'], string> = {
  running: '◌',
  ok: '✓',
  error: '✗',
  aborted: '⊘',
  unknown: '?'
};

/** How many sayings, and how many answers, of one run are shown at first. */
const SHOWN = 5;

/** One line of the timeline. */
export function EntryItem(props: {
  entry: Entry;
  model: InvestigationModel;
  state: InvestigationState;
}): React.ReactElement {
  const { entry, model, state } = props;
  const { step, queries, sayings, happening } = entry;
  if (happening) {
    return <HappeningItem happening={happening} />;
  }
  const ownError = errorBesides(step, queries);
  const ran = step !== null || queries.length > 0;
  return (
    <li data-entry={entry.kinds.join(' ')} data-status={ran ? (step?.status ?? 'ok') : undefined}>
      <p className="jp-Investigation-byline">
        {ran && <Mark step={step} />}
        <Byline by={entry.by ?? ''} at={entry.at} />
        {step?.ended && <span>{duration(step.started, step.ended)}</span>}
        <CellLink model={model} cell={entry.cell} />
      </p>
      <Some
        items={sayings}
        limit={SHOWN}
        draw={some =>
          some.map(saying => (
            <p key={sayingLabel(saying)} className="jp-Investigation-reason" title={saying.text}>
              <Prose text={sayingLabel(saying)} />
            </p>
          ))
        }
      />
      <Some
        items={queries}
        limit={SHOWN}
        draw={some =>
          some.map(query => (
            <Query
              key={query.id}
              query={query}
              model={model}
              from={state.queries[query.parent ?? '']}
              tests={testedElsewhere(query, entry, state)}
            />
          ))
        }
      />
      {entry.cell && queries.length + sayings.length === 0 && (
        <p className="jp-Investigation-sql">{model.cellBegin(entry.cell)}</p>
      )}
      <UnreviewedScripts model={model} step={step} />
      {ownError && <p className="jp-Investigation-error">{ownError}</p>}
    </li>
  );
}

/** What telemetry tells: an alert, a deploy, a change of a flag. */
function HappeningItem(props: { happening: Happening }): React.ReactElement {
  const { time, end_time, kind, service, severity, title, state, source } = props.happening;
  return (
    <li data-entry="telemetry" data-happening={kind}>
      <p className="jp-Investigation-byline">
        <Badge tone={kind === 'alert' || kind === 'incident' ? 'bad' : 'note'}>
          {sentence(kind)}
        </Badge>
        <Moment time={time} />
        {end_time && <span>{duration(time, end_time)}</span>}
      </p>
      <p>{[service, title].filter(Boolean).join(' · ')}</p>
      <p className="jp-Investigation-detail">
        {[severity, state, source].filter(Boolean).join(' · ')}
      </p>
    </li>
  );
}

function Mark(props: { step: Step | null }): React.ReactElement {
  const { step } = props;
  const status = step?.status ?? 'ok';
  const isCutOff = status === 'aborted' && step?.error;
  const label = isCutOff ? trans.__('cut off') : statusLabel(status);
  return (
    <span className="jp-Investigation-mark" role="img" aria-label={label} title={label}>
      {SIGNS[status]}
    </span>
  );
}

/** The hypothesis that a query tests, unless the same run has just stated it. */
function testedElsewhere(
  query: QuerySummary,
  entry: Entry,
  state: InvestigationState
): string | undefined {
  const tested = query.hypothesis ? state.hypotheses[query.hypothesis] : undefined;
  return entry.sayings.some(({ text }) => text === tested?.text) ? undefined : tested?.text;
}

function Query(props: {
  query: QuerySummary;
  model: InvestigationModel;
  from: QuerySummary | undefined;
  tests: string | undefined;
}): React.ReactElement {
  const { query, model, from, tests } = props;
  return (
    <div>
      <p>
        <span
          className={query.template ? 'jp-Investigation-title' : 'jp-Investigation-sql'}
          title={wording(query)}
        >
          {headline(query)}
        </span>{' '}
        <Finding query={query} /> <UnreviewedTemplate model={model} query={query.id} />
      </p>
      {query.ok ? (
        <p className="jp-Investigation-detail jp-Investigation-reason" title={query.reason}>
          {outcome(query)}
        </p>
      ) : (
        <p className="jp-Investigation-error">{query.error}</p>
      )}
      {from && (
        <p className="jp-Investigation-detail jp-Investigation-from">
          <span>{trans.__('from %1', headline(from))}</span>
          {from.cell !== query.cell && <CellLink model={model} cell={from.cell} />}
        </p>
      )}
      {tests && <p className="jp-Investigation-detail">{trans.__('Tests: %1', tests)}</p>}
    </div>
  );
}

function Finding(props: { query: QuerySummary }): React.ReactElement | null {
  const { query } = props;
  if (!query.ok) {
    return <Badge tone="bad">{trans.__('failed')}</Badge>;
  }
  if (query.interesting === null) {
    return query.template ? <Badge tone="warn">{trans.__('nothing to judge')}</Badge> : null;
  }
  return query.interesting ? (
    <Badge tone="strong">{trans.__('interesting')}</Badge>
  ) : (
    <Badge tone="plain">{trans.__('not interesting')}</Badge>
  );
}
