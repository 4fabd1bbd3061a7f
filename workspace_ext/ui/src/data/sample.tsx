import * as React from 'react';
import { trans } from '../translation';
import type { NewInvestigation } from '../types';
import type { DataModel } from './model';

/** A real incident to try everything on. */
export function Sample(props: {
  model: DataModel;
  begin: (known: NewInvestigation) => void;
}): React.ReactElement {
  const { model, begin } = props;
  const { loading, loaded } = model;
  if (loading) {
    return (
      <div className="jp-Investigation-inset" role="status">
        <p>{trans.__('Loading the sample incident… %1', loading.file)}</p>
        <progress max={1} value={loading.share} />
      </div>
    );
  }
  if (loaded) {
    return (
      <div className="jp-Investigation-inset">
        <p>{trans.__('The sample incident is here: %1.', loaded.title)}</p>
        <div className="jp-Investigation-buttons">
          <button
            type="button"
            className="jp-mod-styled jp-mod-accept"
            onClick={() => begin(loaded)}
          >
            {trans.__('Investigate it')}
          </button>
        </div>
      </div>
    );
  }
  return (
    <div className="jp-Investigation-inset">
      <p>{trans.__('Real spans, logs and metrics of an outage, to try everything on.')}</p>
      <div className="jp-Investigation-buttons">
        <button
          type="button"
          className="jp-mod-styled jp-mod-accept"
          onClick={() => void model.loadSample()}
        >
          {trans.__('Load sample incident')}
        </button>
      </div>
    </div>
  );
}
