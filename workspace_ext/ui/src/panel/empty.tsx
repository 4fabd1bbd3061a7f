import * as React from 'react';
import type { Problem } from '../api';
import { sentence } from '../format';
import { trans } from '../translation';

/** What the panel says while there is no story to tell, and the one thing to do about it. */
export function Empty(props: {
  title: string;
  text?: string;
  action?: { label: string; run: () => void } | undefined;
}): React.ReactElement {
  const { title, text, action } = props;
  return (
    <div className="jp-Investigation-blank" role="status">
      <h2>{sentence(title)}</h2>
      {text && <p>{sentence(text)}</p>}
      {action && (
        <button type="button" className="jp-mod-styled jp-mod-accept" onClick={action.run}>
          {action.label}
        </button>
      )}
    </div>
  );
}

/** What stands in the way, above a story that may be out of date. */
export function Banner(props: { problem: Problem; retry: () => void }): React.ReactElement {
  return (
    <div className="jp-Investigation-banner" role="alert">
      <p>{sentence(props.problem.message)}</p>
      {props.problem.hint && (
        <p className="jp-Investigation-detail">{sentence(props.problem.hint)}</p>
      )}
      <button type="button" className="jp-Investigation-link" onClick={props.retry}>
        {trans.__('Try again')}
      </button>
    </div>
  );
}
