import * as React from 'react';
import { ago, figure, localMinutes, utcTime, utcWindow } from '../format';
import { Banner, Empty, Obstacle, Waiting } from '../panel/empty';
import { Badge, Section } from '../panel/parts';
import { trans } from '../translation';
import type { DataOverview, NewInvestigation } from '../types';
import type { DataModel } from './model';
import { QualitySection } from './qualityview';
import { Sample } from './sample';
import { Sending } from './sendingview';
import { ServicesSection } from './services';
import { isEmpty, size, sources } from './sources';

/** The whole panel, for whatever is known right now. */
export function DataView(props: {
  model: DataModel;
  begin: (known: NewInvestigation) => void;
}): React.ReactElement {
  const { model, begin } = props;
  const { overview, problem } = model;
  if (model.isMissing && !model.loading) {
    return (
      <>
        <Empty
          title={trans.__('No data yet')}
          text={trans.__('There is no store yet; it is made when somebody begins.')}
        />
        <Sample model={model} begin={begin} />
      </>
    );
  }
  if (overview === null) {
    return problem ? (
      <Obstacle problem={problem} retry={() => void model.retry()} />
    ) : (
      <>
        {!model.loading && <Waiting title={trans.__('Looking into the store…')} />}
        {model.loading && <Sample model={model} begin={begin} />}
      </>
    );
  }
  const empty = isEmpty(overview);
  return (
    <>
      {problem && <Banner problem={problem} retry={() => void model.retry()} />}
      <Health overview={overview} refresh={() => void model.refresh()} />
      {(empty || model.loading || model.loaded) && <Sample model={model} begin={begin} />}
      {!empty && (
        <>
          <Signals overview={overview} />
          <Sources overview={overview} />
          <QualitySection model={model} />
          <ServicesSection overview={overview} />
        </>
      )}
      <Sending overview={overview} closed={!empty} />
      {!empty && !model.loaded && !model.loading && (
        <Section id="data-sample" title={trans.__('Sample incident')} closed>
          <Sample model={model} begin={begin} />
        </Section>
      )}
    </>
  );
}

/** In a line whether data come in; below it what is not as it should be. */
function Health(props: { overview: DataOverview; refresh: () => void }): React.ReactElement {
  const { status, signals, pin } = props.overview;
  const rows = Object.values(signals).reduce((sum, signal) => sum + signal.rows, 0);
  const refused = Object.values(status.refused).reduce((sum, n) => sum + n, 0);
  const disk = Object.values(status.sizes).reduce((sum, n) => sum + n, 0);
  const waits = status.lag_seconds > SLOW_SECONDS;
  return (
    <header className="jp-Investigation-header">
      <h2>{trans.__('Data')}</h2>
      <p className="jp-Investigation-badges">
        <Badge tone={status.failing ? 'bad' : waits ? 'warn' : 'good'}>
          {status.failing
            ? trans.__('Ingest fails')
            : waits
              ? trans.__('Ingest is behind')
              : trans.__('Ingest is well')}
        </Badge>
        <button
          type="button"
          className="jp-Investigation-link jp-Investigation-refresh"
          onClick={props.refresh}
        >
          {trans.__('Refresh')}
        </button>
      </p>
      {status.failing && (
        <p role="alert" className="jp-Investigation-error">
          {status.failing}
        </p>
      )}
      <dl>
        <dt>{trans.__('Newest')}</dt>
        <dd title={status.newest_record ? utcTime(status.newest_record) : ''}>
          {status.newest_record ? ago(status.newest_record) : trans.__('nothing yet')}
        </dd>
        <dt>{trans.__('Records')}</dt>
        <dd>{trans.__('%1 in %2 batches', figure(rows), figure(pin))}</dd>
        {(status.lag_seconds >= 1 || status.held_bytes > 0) && (
          <>
            <dt>{trans.__('Waiting')}</dt>
            <dd>
              {trans.__('%1, for %2 s', size(status.held_bytes), Math.round(status.lag_seconds))}
            </dd>
          </>
        )}
        {refused > 0 && (
          <>
            <dt>{trans.__('Refused')}</dt>
            <dd>{trans._n('%1 request', '%1 requests', refused)}</dd>
          </>
        )}
        <dt>{trans.__('Disk')}</dt>
        <dd>{trans.__('%1 used, %2 free', size(disk), size(status.free_bytes))}</dd>
      </dl>
    </header>
  );
}

const SLOW_SECONDS = 30;

function Signals(props: { overview: DataOverview }): React.ReactElement {
  const known = Object.entries(props.overview.signals).filter(([, signal]) => signal.rows > 0);
  return (
    <Section id="data-signals" title={trans.__('Signals')} size={known.length}>
      <table className="jp-Investigation-table">
        <tbody>
          {known.map(([name, { rows, first_time, last_time }]) => {
            const span = first_time && last_time ? { start: first_time, end: last_time } : null;
            return (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td className="jp-Investigation-number">{figure(rows)}</td>
                <td title={span ? utcWindow(span) : undefined}>{span && localMinutes(span)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Section>
  );
}

/** Where data come from, how fresh each is, and what was put aside of it. */
function Sources(props: { overview: DataOverview }): React.ReactElement {
  const known = sources(props.overview.batches);
  const reasons = new Map(props.overview.quarantine.map(one => [one.name, one.reason]));
  return (
    <Section id="data-sources" title={trans.__('Sources')} size={known.length}>
      <ul className="jp-Investigation-dense">
        {known.map(source => (
          <li
            key={`${source.format} ${source.name}`}
            data-status={source.quarantined > 0 ? 'error' : 'ok'}
          >
            <p className="jp-Investigation-byline">
              <span className="jp-Investigation-who" title={source.name}>
                {source.name}
              </span>
              <span>{ago(source.last)}</span>
            </p>
            <p className="jp-Investigation-detail">
              {[
                trans._n('%2 record', '%2 records', source.records, figure(source.records)),
                !source.name.endsWith(source.format) && source.format,
                source.newest && trans.__('newest %1', ago(source.newest))
              ]
                .filter(Boolean)
                .join(' · ')}
            </p>
            {source.quarantined > 0 && (
              <p className="jp-Investigation-error">
                {trans.__('%1 put aside', figure(source.quarantined))}
                {reasons.get(source.name) && `: ${reasons.get(source.name)}`}
              </p>
            )}
            {source.warnings.map(warning => (
              <p key={warning} className="jp-Investigation-detail">
                {warning}
              </p>
            ))}
          </li>
        ))}
      </ul>
    </Section>
  );
}
