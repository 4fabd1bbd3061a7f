import * as React from 'react';
import type { InvestigationModel } from '../model';
import { CellLink } from '../panel/parts';
import { headline, ledTo, pathTo } from '../query';
import { trans } from '../translation';
import type { InvestigationState, QuerySummary } from '../types';

/** By which answers one came to a query, and where one went on from it. */
export function PathView(props: {
  model: InvestigationModel;
  state: InvestigationState;
  query: QuerySummary;
}): React.ReactElement | null {
  const { model, state, query } = props;
  const before = pathTo(state.queries, query);
  const after = ledTo(state.queries, query);
  return (
    <>
      {before.length > 0 && <Line said={trans.__('Follows from')} steps={before} model={model} />}
      {after.length > 0 && <Line said={trans.__('Led to')} steps={after} model={model} />}
    </>
  );
}

function Line(props: {
  said: string;
  steps: readonly QuerySummary[];
  model: InvestigationModel;
}): React.ReactElement {
  const { said, steps, model } = props;
  return (
    <div className="jp-InvestigationInspector-path">
      <span>{said}</span>
      <ol>
        {steps.map(step => (
          <li key={step.id}>
            {headline(step)} <CellLink model={model} cell={step.cell} />
          </li>
        ))}
      </ol>
    </div>
  );
}
