import { Clipboard } from '@jupyterlab/apputils';
import * as React from 'react';
import { Section } from '../panel/parts';
import { trans } from '../translation';
import type { DataOverview } from '../types';
import { collector, curl, doorsOf, ingestCommand, openCommand } from './sending';

/** How to send data to this very broker. */
export function Sending(props: { overview: DataOverview; closed: boolean }): React.ReactElement {
  const { overview, closed } = props;
  const doors = doorsOf(overview);
  const isOpen = doors.http !== null || doors.grpc !== null;
  return (
    <Section
      id={closed ? 'data-sending' : 'data-first'}
      title={trans.__('Send data')}
      closed={closed}
    >
      {isOpen ? (
        <p>
          {trans.__('This store takes OpenTelemetry at:')}{' '}
          {[doors.http, doors.grpc].filter(Boolean).map(address => (
            <code key={address}>{address}</code>
          ))}
        </p>
      ) : (
        <>
          <p>
            {trans.__(
              'This store takes nothing from the network yet. Stop the server, start its broker so, then the server again:'
            )}
          </p>
          <Copied text={openCommand(overview.store)} />
        </>
      )}
      <p>{trans.__('For an OpenTelemetry Collector:')}</p>
      <Copied text={collector(doors)} />
      <p>{trans.__('One log record by hand, to see it arrive:')}</p>
      <Copied text={curl(doors, new Date())} />
      <p>{trans.__('Files of any known format:')}</p>
      <Copied text={ingestCommand(overview.store)} />
    </Section>
  );
}

/** A text to take along. */
function Copied(props: { text: string }): React.ReactElement {
  const [isCopied, setCopied] = React.useState(false);
  return (
    <div className="jp-Investigation-copied">
      <pre>{props.text}</pre>
      <button
        type="button"
        className="jp-mod-styled jp-mod-minimal"
        aria-live="polite"
        onClick={() => {
          Clipboard.copyToSystem(props.text);
          setCopied(true);
        }}
      >
        {isCopied ? trans.__('Copied') : trans.__('Copy')}
      </button>
    </div>
  );
}
