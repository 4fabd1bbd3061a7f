import * as React from 'react';
import type { InvestigationModel } from '../model';
import { headline } from '../query';
import { trans } from '../translation';
import type { Hypothesis, HypothesisTest, InvestigationState } from '../types';
import { Badge, Byline, CellLink, Section } from './parts';

const TONE: Record<Hypothesis['state'], string> = {
  proposed: 'plain',
  testing: 'note',
  supported: 'good',
  refuted: 'bad',
  inconclusive: 'warn',
  root_cause: 'strong',
  contributing: 'strong',
  ruled_out: 'plain'
};

function label(state: Hypothesis['state']): string {
  const labels: Record<Hypothesis['state'], string> = {
    proposed: trans.__('Proposed'),
    testing: trans.__('Testing'),
    supported: trans.__('Supported'),
    refuted: trans.__('Refuted'),
    inconclusive: trans.__('Inconclusive'),
    root_cause: trans.__('Root cause'),
    contributing: trans.__('Contributing'),
    ruled_out: trans.__('Ruled out')
  };
  return labels[state];
}

function outcome({ outcome, name, reason }: HypothesisTest): string {
  const labels: Record<HypothesisTest['outcome'], string> = {
    supported: trans.__('Supported by %1: %2', name, reason),
    refuted: trans.__('Refuted by %1: %2', name, reason),
    inconclusive: trans.__('Left open by %1: %2', name, reason)
  };
  return labels[outcome];
}

const EXAMPLE = 'h = investigation.hypothesis(\n    "…", predicts="…")';

/** What people believe, what it predicts, and how it fared; refuted ones stay. */
export function Hypotheses(props: {
  model: InvestigationModel;
  state: InvestigationState;
}): React.ReactElement {
  const hypotheses = Object.values(props.state.hypotheses)
    .filter(hypothesis => hypothesis.superseded_by === null || begun(hypothesis))
    .sort((a, b) => a.at.localeCompare(b.at));
  return (
    <Section title={trans.__('Hypotheses')} size={hypotheses.length}>
      {hypotheses.length === 0 && (
        <p className="jp-Investigation-empty">
          {trans.__('State one, with what it predicts:')} <code>{EXAMPLE}</code>
        </p>
      )}
      <ul>
        {hypotheses.map(hypothesis => (
          <HypothesisItem key={hypothesis.id} hypothesis={hypothesis} {...props} />
        ))}
      </ul>
    </Section>
  );
}

/** Whether anybody looked into it; a claim that was only reworded is not shown twice. */
function begun(hypothesis: Hypothesis): boolean {
  return hypothesis.state !== 'proposed';
}

function HypothesisItem(props: {
  hypothesis: Hypothesis;
  model: InvestigationModel;
  state: InvestigationState;
}): React.ReactElement {
  const { hypothesis, model, state } = props;
  const tests = Object.values(hypothesis.tests);
  const standing = tests.filter(test => !test.replaced);
  const asked = new Set(tests.map(test => test.query));
  const evidence = hypothesis.evidence
    .filter(id => !asked.has(id))
    .flatMap(id => state.queries[id] ?? []);
  return (
    <li data-hypothesis={hypothesis.state}>
      <p>
        <Badge tone={TONE[hypothesis.state]}>{label(hypothesis.state)}</Badge> {hypothesis.text}
      </p>
      {hypothesis.prediction && (
        <p className="jp-Investigation-detail">
          {trans.__('Predicts: %1', hypothesis.prediction)}{' '}
          {hypothesis.prediction_late && (
            <Badge tone="warn">{trans.__('written after a test began')}</Badge>
          )}
        </p>
      )}
      {standing.map(test => (
        <p key={test.id} className="jp-Investigation-detail">
          {outcome(test)}
          {test.judge === 'kernel' && ` ${trans.__('(found by code in the kernel)')}`}{' '}
          {test.cell !== hypothesis.cell && <CellLink model={model} cell={test.cell} />}
        </p>
      ))}
      {standing.length < tests.length && (
        <p className="jp-Investigation-detail">
          {trans._n(
            '%1 earlier test replaced',
            '%1 earlier tests replaced',
            tests.length - standing.length
          )}
        </p>
      )}
      {hypothesis.override && (
        <p className="jp-Investigation-detail">
          <Badge tone="warn">{trans.__('despite its tests')}</Badge> {hypothesis.override}
        </p>
      )}
      {hypothesis.superseded_by !== null && (
        <p className="jp-Investigation-detail">{trans.__('Its words were changed since.')}</p>
      )}
      {evidence.map(query => (
        <p key={query.id} className="jp-Investigation-detail">
          {trans.__('Evidence: %1', headline(query))}{' '}
          {query.cell !== hypothesis.cell && <CellLink model={model} cell={query.cell} />}
        </p>
      ))}
      <p className="jp-Investigation-byline">
        <Byline by={hypothesis.by} at={hypothesis.at} />
        <CellLink model={model} cell={hypothesis.cell} />
      </p>
    </li>
  );
}
