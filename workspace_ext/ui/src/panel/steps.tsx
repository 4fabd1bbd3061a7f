import * as React from 'react';
import { duration, rowCount } from '../format';
import type { InvestigationModel } from '../model';
import { headline, wording } from '../query';
import { errorBesides, timeline, type Entry, type Saying } from '../timeline';
import { trans } from '../translation';
import type { InvestigationState, QuerySummary, Step } from '../types';
import { Badge, Byline, CellLink, Section } from './parts';

const PAGE = 100;

function mark(status: Step['status']): { sign: string; label: string } {
  const marks: Record<Step['status'], { sign: string; label: string }> = {
    running: { sign: '◌', label: trans.__('running') },
    ok: { sign: '✓', label: trans.__('finished') },
    error: { sign: '✗', label: trans.__('failed') },
    aborted: { sign: '⊘', label: trans.__('not run') },
    unknown: { sign: '?', label: trans.__('end not seen') }
  };
  return marks[status];
}

function said({ kind, text }: Saying): string {
  const wordings: Record<Saying['kind'], string> = {
    Hypothesis: trans.__('Hypothesis: %1', text),
    Note: trans.__('Note: %1', text),
    Finding: trans.__('Finding: %1', text),
    Decision: trans.__('Decision: %1', text),
    Conclusion: trans.__('Conclusion: %1', text)
  };
  return wordings[kind];
}

/** What was run, newest first, with the answers it got. */
export function Steps(props: {
  model: InvestigationModel;
  state: InvestigationState;
}): React.ReactElement {
  const { model, state } = props;
  const [shown, setShown] = React.useState(PAGE);
  const entries = timeline(state);
  return (
    <Section title={trans.__('Steps')} size={entries.length}>
      {entries.length === 0 && (
        <p className="jp-Investigation-empty">
          {trans.__('Nothing was run yet; every run appears here. A good first one:')}
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
          {trans.__('Show older steps')}
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
      {sayings.map(saying => (
        <p key={said(saying)} className="jp-Investigation-detail jp-Investigation-reason">
          {said(saying)}
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
  const { sign, label } = mark(props.step?.status ?? 'ok');
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
        <Finding query={query} />{' '}
        {isUnreviewed && <Badge tone="warn">{trans.__('template not reviewed')}</Badge>}
      </p>
      {query.ok ? (
        <p className="jp-Investigation-detail jp-Investigation-reason" title={query.reason}>
          {rowCount(query.rows)}
          {query.template && query.reason && ` · ${query.reason}`}
        </p>
      ) : (
        <p className="jp-Investigation-error">{query.error}</p>
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
