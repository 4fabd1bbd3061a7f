import * as React from 'react';
import { count, duration } from '../format';
import type { InvestigationModel } from '../model';
import { headline, wording } from '../query';
import { errorBesides, timeline, type Entry } from '../timeline';
import type { InvestigationState, QuerySummary, Step } from '../types';
import { Badge, Byline, CellLink, Section } from './parts';

const PAGE = 100;

const MARK: Record<Step['status'], { sign: string; label: string }> = {
  running: { sign: '◌', label: 'running' },
  ok: { sign: '✓', label: 'finished' },
  error: { sign: '✗', label: 'failed' },
  aborted: { sign: '⊘', label: 'not run' },
  unknown: { sign: '?', label: 'end not seen' }
};

/** What was run, newest first, with the answers it got. */
export function Steps(props: {
  model: InvestigationModel;
  state: InvestigationState;
}): React.ReactElement {
  const { model, state } = props;
  const [shown, setShown] = React.useState(PAGE);
  const entries = timeline(state);
  return (
    <Section title="Steps" size={entries.length}>
      {entries.length === 0 && (
        <p className="jp-Investigation-empty">
          Nothing was run yet; every run appears here. A good first one:
          <code>investigation.run(&quot;triage.overview&quot;)</code>
        </p>
      )}
      <ol>
        {entries.slice(0, shown).map(entry => (
          <StepItem key={entry.key} entry={entry} model={model} state={state} />
        ))}
      </ol>
      {entries.length > shown && (
        <button
          type="button"
          className="jp-Investigation-link"
          onClick={() => setShown(shown + PAGE)}
        >
          Show older steps
        </button>
      )}
    </Section>
  );
}

function StepItem(props: {
  entry: Entry;
  model: InvestigationModel;
  state: InvestigationState;
}): React.ReactElement {
  const { entry, model, state } = props;
  const { step, queries, sayings } = entry;
  const ownError = errorBesides(step, queries);
  return (
    <li data-status={step?.status ?? 'ok'}>
      <p className="jp-Investigation-byline">
        <Mark step={step} />
        <Byline by={step?.by ?? ''} at={entry.at} />
        {step?.ended && <span>{duration(step.started, step.ended)}</span>}
        <CellLink model={model} cell={entry.cell} />
      </p>
      {sayings.map(({ kind, text }) => (
        <p key={`${kind} ${text}`} className="jp-Investigation-detail jp-Investigation-reason">
          {kind}: {text}
        </p>
      ))}
      {queries.map(query => (
        <Query
          key={query.id}
          query={query}
          tests={testedElsewhere(query, entry, state)}
          isUnreviewed={model.reviews?.isUnreviewed(query.id) ?? false}
        />
      ))}
      {ownError && <p className="jp-Investigation-error">{ownError}</p>}
    </li>
  );
}

function Mark(props: { step: Step | null }): React.ReactElement {
  const { sign, label } = MARK[props.step?.status ?? 'ok'];
  return (
    <span className="jp-Investigation-mark" role="img" aria-label={label} title={label}>
      {sign}
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
  tests: string | undefined;
  isUnreviewed: boolean;
}): React.ReactElement {
  const { query, tests, isUnreviewed } = props;
  return (
    <div className="jp-Investigation-query">
      <p>
        <span
          className={query.template ? 'jp-Investigation-title' : 'jp-Investigation-sql'}
          title={wording(query)}
        >
          {headline(query)}
        </span>{' '}
        <Finding query={query} /> {isUnreviewed && <Badge tone="warn">template not reviewed</Badge>}
      </p>
      {query.ok ? (
        <p className="jp-Investigation-detail jp-Investigation-reason" title={query.reason}>
          {count(query.rows, 'row')}
          {query.template && query.reason && ` · ${query.reason}`}
        </p>
      ) : (
        <p className="jp-Investigation-error">{query.error}</p>
      )}
      {tests && <p className="jp-Investigation-detail">Tests: {tests}</p>}
    </div>
  );
}

function Finding(props: { query: QuerySummary }): React.ReactElement | null {
  const { query } = props;
  if (!query.ok) {
    return <Badge tone="bad">failed</Badge>;
  }
  if (query.interesting === null) {
    return query.template ? <Badge tone="warn">nothing to judge</Badge> : null;
  }
  return query.interesting ? (
    <Badge tone="strong">interesting</Badge>
  ) : (
    <Badge tone="plain">not interesting</Badge>
  );
}
