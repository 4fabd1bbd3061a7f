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
          <p>{trans.__('This store takes nothing from the network yet.')}</p>
          <Copied
            label={trans.__('Stop the server, start its broker so, then the server again:')}
            text={openCommand(overview.store)}
          />
        </>
      )}
      <Copied label={trans.__('For an OpenTelemetry Collector:')} text={collector(doors)} />
      <Copied
        label={trans.__('One log record by hand, to see it arrive:')}
        text={curl(doors, new Date())}
      />
      <Copied label={trans.__('Files of any known format:')} text={ingestCommand(overview.store)} />
    </Section>
  );
}

/** A text to take along, and what it is for. */
function Copied(props: { label: string; text: string }): React.ReactElement {
  const [isCopied, setCopied] = React.useState(false);
  return (
    <div className="jp-Investigation-copied">
      <p>
        {props.label}
        <button
          type="button"
          className="jp-Investigation-link"
          aria-live="polite"
          onClick={() => {
            Clipboard.copyToSystem(props.text);
            setCopied(true);
          }}
        >
          {isCopied ? trans.__('Copied') : trans.__('Copy')}
        </button>
      </p>
      <pre tabIndex={0} aria-label={props.label}>
        {props.text}
      </pre>
    </div>
  );
}
