import * as React from 'react';
import { count } from '../format';
import type { InvestigationModel } from '../model';
import { headline } from '../query';
import type { Hypothesis, HypothesisTest, InvestigationState } from '../types';
import { Badge, Byline, CellLink, Section } from './parts';

const LOOK: Record<Hypothesis['state'], { label: string; tone: string }> = {
  proposed: { label: 'Proposed', tone: 'plain' },
  testing: { label: 'Testing', tone: 'note' },
  supported: { label: 'Supported', tone: 'good' },
  refuted: { label: 'Refuted', tone: 'bad' },
  inconclusive: { label: 'Inconclusive', tone: 'warn' },
  root_cause: { label: 'Root cause', tone: 'strong' },
  contributing: { label: 'Contributing', tone: 'strong' },
  ruled_out: { label: 'Ruled out', tone: 'plain' }
};

const OUTCOME: Record<HypothesisTest['outcome'], string> = {
  supported: 'Supported by',
  refuted: 'Refuted by',
  inconclusive: 'Left open by'
};

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
    <Section title="Hypotheses" size={hypotheses.length}>
      {hypotheses.length === 0 && (
        <p className="jp-Investigation-empty">
          State one, with what it predicts: <code>{EXAMPLE}</code>
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
  const look = LOOK[hypothesis.state];
  const tests = Object.values(hypothesis.tests);
  const standing = tests.filter(test => !test.replaced);
  const asked = new Set(tests.map(test => test.query));
  const evidence = hypothesis.evidence
    .filter(id => !asked.has(id))
    .flatMap(id => state.queries[id] ?? []);
  return (
    <li data-hypothesis={hypothesis.state}>
      <p>
        <Badge tone={look.tone}>{look.label}</Badge> {hypothesis.text}
      </p>
      {hypothesis.prediction && (
        <p className="jp-Investigation-detail">
          Predicts: {hypothesis.prediction}{' '}
          {hypothesis.prediction_late && <Badge tone="warn">written after a test began</Badge>}
        </p>
      )}
      {standing.map(test => (
        <p key={test.id} className="jp-Investigation-detail">
          {OUTCOME[test.outcome]} {test.name}: {test.reason}
          {test.judge === 'kernel' && ' (found by code in the kernel)'}{' '}
          {test.cell !== hypothesis.cell && <CellLink model={model} cell={test.cell} />}
        </p>
      ))}
      {standing.length < tests.length && (
        <p className="jp-Investigation-detail">
          {count(tests.length - standing.length, 'earlier test')} replaced
        </p>
      )}
      {hypothesis.override && (
        <p className="jp-Investigation-detail">
          <Badge tone="warn">despite its tests</Badge> {hypothesis.override}
        </p>
      )}
      {hypothesis.superseded_by !== null && (
        <p className="jp-Investigation-detail">Its words were changed since.</p>
      )}
      {evidence.map(query => (
        <p key={query.id} className="jp-Investigation-detail">
          Evidence: {headline(query)}{' '}
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
