import * as React from 'react';
import type { Problem } from '../api';
import { sentence } from '../format';
import { trans } from '../translation';
import { LogIn, Patience } from './trouble';

/** What the panel says while there is no story to tell, and the one thing to do about it. */
export function Empty(props: {
  title: string;
  text?: string;
  action?: { label: string; run: () => void } | undefined;
  children?: React.ReactNode;
}): React.ReactElement {
  const { title, text, action, children } = props;
  return (
    <div className="jp-Investigation-blank" role="status">
      <h2>{sentence(title)}</h2>
      {text && <p>{sentence(text)}</p>}
      {children}
      {action && (
        <button type="button" className="jp-mod-styled jp-mod-accept" onClick={action.run}>
          {action.label}
        </button>
      )}
    </div>
  );
}

/** What stands in the way of all there is to show. */
export function Obstacle(props: { problem: Problem; retry: () => void }): React.ReactElement {
  const { problem, retry } = props;
  return (
    <Empty
      title={problem.message}
      text={problem.hint}
      action={{ label: trans.__('Try again'), run: retry }}
    >
      <LogIn problem={problem} />
    </Empty>
  );
}

/** What is waited for; after a while it is said that this takes long. */
export function Waiting(props: { title: string; text?: string }): React.ReactElement {
  return (
    <Empty {...props}>
      <Patience>
        {trans.__('This takes longer than usual: the network or the server is slow.')}
      </Patience>
    </Empty>
  );
}

/** What stands in the way, above a story that may be out of date. */
export function Banner(props: { problem: Problem; retry: () => void }): React.ReactElement {
  const { problem, retry } = props;
  return (
    <div className="jp-Investigation-banner" role="alert">
      <p>{sentence(problem.message)}</p>
      {problem.hint && <p className="jp-Investigation-detail">{sentence(problem.hint)}</p>}
      <LogIn problem={problem} />{' '}
      <button type="button" className="jp-Investigation-link" onClick={retry}>
        {trans.__('Try again')}
      </button>
    </div>
  );
}
