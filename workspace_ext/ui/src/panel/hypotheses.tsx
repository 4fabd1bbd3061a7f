import * as React from 'react';
import type { InvestigationModel } from '../model';
import { headline } from '../query';
import type { Hypothesis, InvestigationState } from '../types';
import { Badge, Byline, CellLink, Section } from './parts';

const LOOK: Record<Hypothesis['state'], { label: string; tone: string }> = {
  proposed: { label: 'Proposed', tone: 'plain' },
  testing: { label: 'Testing', tone: 'note' },
  supported: { label: 'Supported', tone: 'good' },
  refuted: { label: 'Refuted', tone: 'bad' },
  inconclusive: { label: 'Inconclusive', tone: 'warn' },
  root_cause: { label: 'Root cause', tone: 'strong' }
};

const EXAMPLE = 'h = investigation.hypothesis(\n    "…", predicts="…")';

/** What people believe, what it predicts, and how it fared; refuted ones stay. */
export function Hypotheses(props: {
  model: InvestigationModel;
  state: InvestigationState;
}): React.ReactElement {
  const hypotheses = Object.values(props.state.hypotheses).sort((a, b) => a.at.localeCompare(b.at));
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

function HypothesisItem(props: {
  hypothesis: Hypothesis;
  model: InvestigationModel;
  state: InvestigationState;
}): React.ReactElement {
  const { hypothesis, model, state } = props;
  const look = LOOK[hypothesis.state];
  const evidence = hypothesis.evidence.flatMap(id => state.queries[id] ?? []);
  return (
    <li data-hypothesis={hypothesis.state}>
      <p>
        <Badge tone={look.tone}>{look.label}</Badge> {hypothesis.text}
      </p>
      {hypothesis.prediction && (
        <p className="jp-Investigation-detail">Predicts: {hypothesis.prediction}</p>
      )}
      {evidence.map(query => (
        <p key={query.id} className="jp-Investigation-detail">
          Tested by {headline(query)}{' '}
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
