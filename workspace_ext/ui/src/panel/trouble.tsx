import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import * as React from 'react';
import { LOGGED_OUT, type Problem } from '../api';
import { sentence } from '../format';
import { trans } from '../translation';

/** What is said already above all else; each place need not say it again. */
export const KnownContext = React.createContext('');

/** What stands in the way of something, said where it was tried. */
export function Refusal(props: { problem: Problem | null }): React.ReactElement | null {
  const { problem } = props;
  const known = React.useContext(KnownContext);
  if (!problem) {
    return null;
  }
  return (
    <p role="alert" className="jp-Investigation-error">
      {known !== '' && known.startsWith(problem.message) ? (
        trans.__('Not sent, for the reason above. What you typed stays here.')
      ) : (
        <>
          {told(problem)} <LogIn problem={problem} />
        </>
      )}
    </p>
  );
}

/** A way back for who is logged out: in a tab of its own, so that what was typed stays here. */
export function LogIn(props: { problem: Problem }): React.ReactElement | null {
  return props.problem.code === LOGGED_OUT ? (
    <a
      className="jp-Investigation-link"
      href={URLExt.join(PageConfig.getBaseUrl(), 'investigation/welcome')}
      target="_blank"
      rel="noopener"
    >
      {trans.__('Log in')}
    </a>
  ) : null;
}

/** Says after a while that something takes long, and before that nothing. */
export function Patience(props: { children: React.ReactNode }): React.ReactElement | null {
  const [isLong, setLong] = React.useState(false);
  React.useEffect(() => {
    const timer = window.setTimeout(() => setLong(true), LONG_MS);
    return () => window.clearTimeout(timer);
  }, []);
  return isLong ? (
    <span role="status" className="jp-Investigation-detail">
      {props.children}
    </span>
  ) : null;
}

/** For a form whose text is on its way. */
export function Underway(props: { isBusy: boolean }): React.ReactElement | null {
  return props.isBusy ? (
    <Patience>
      {trans.__('Still sending: the network is slow. What you typed stays here.')}
    </Patience>
  ) : null;
}

/** A problem and what to do about it, as sentences. */
function told({ message, hint }: Problem): string {
  return [message, hint]
    .filter(Boolean)
    .map(text => sentence(/[.!?:]$/.test(text) ? text : `${text}.`))
    .join(' ');
}

const LONG_MS = 3000;
