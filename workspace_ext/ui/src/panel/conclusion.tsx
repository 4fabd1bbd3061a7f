import * as React from 'react';
import type { InvestigationModel } from '../model';
import { trans } from '../translation';
import type { Conclusion } from '../types';
import { stateLabel } from './labels';
import { Badge, Byline, CellLink, Section } from './parts';

/** What the investigation found; left out until it is found. */
export function ConclusionCard(props: {
  model: InvestigationModel;
  conclusion: Conclusion | null;
}): React.ReactElement | null {
  const { model, conclusion } = props;
  if (!conclusion) {
    return null;
  }
  const evidence = conclusion.evidence.length;
  const claim = model.investigation?.hypotheses[conclusion.hypothesis ?? ''];
  return (
    <Section title={trans.__('Conclusion')}>
      <div className="jp-Investigation-conclusion">
        <p>{conclusion.root_cause}</p>
        <p className="jp-Investigation-detail">
          {trans.__('%1 % confident', conclusion.confidence_percent)}
          {evidence > 0 &&
            ` · ${trans._n('%1 piece of evidence', '%1 pieces of evidence', evidence)}`}
        </p>
        {claim && claim.state !== 'root_cause' && (
          <p className="jp-Investigation-detail">
            <Badge tone="bad">{trans.__('Stands no longer')}</Badge>{' '}
            {claim.why
              ? trans.__(
                  'Its hypothesis is now: %1, because %2',
                  stateLabel(claim.state),
                  claim.why
                )
              : trans.__('Its hypothesis is now: %1', stateLabel(claim.state))}
          </p>
        )}
        {conclusion.outcome && (
          <p className="jp-Investigation-detail">
            <Badge tone={conclusion.outcome.correct ? 'good' : 'bad'}>
              {conclusion.outcome.correct
                ? trans.__('Turned out right')
                : trans.__('Turned out wrong')}
            </Badge>{' '}
            {conclusion.outcome.because}
          </p>
        )}
        <p className="jp-Investigation-byline">
          <Byline by={conclusion.by} at={conclusion.at} />
          <CellLink model={model} cell={conclusion.cell} />
        </p>
      </div>
    </Section>
  );
}
