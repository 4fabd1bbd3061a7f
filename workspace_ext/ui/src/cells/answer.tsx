import * as React from 'react';
import { figure, localTime, localWindow, rowCount, sentence, utcTime, utcWindow } from '../format';
import { Badge } from '../panel/parts';
import { headline } from '../query';
import { trans } from '../translation';
import type { KeptRows, Origin, Provenance, QuerySummary } from '../types';
import { boundPieces } from './statement';

/** One query of a run, with all that stands behind its answer. */
export function Answer(props: { provenance: Provenance }): React.ReactElement {
  const { query, statement, warnings, kept, origin, gap } = props.provenance;
  return (
    <>
      {warnings.map(warning => (
        <p key={warning} className="jp-Investigation-warning">
          {sentence(warning)}
        </p>
      ))}
      <Part title={trans.__('Result')}>
        <Result query={query} kept={kept} />
      </Part>
      <Part title={trans.__('Query as it was bound')}>
        <pre className="jp-InvestigationInspector-sql" tabIndex={0}>
          {boundPieces(statement, query.params).map((piece, place) =>
            piece.name === null ? (
              piece.text
            ) : (
              <mark key={place} title={`$${piece.name}`}>
                {piece.text}
              </mark>
            )
          )}
        </pre>
      </Part>
      <Part title={trans.__('Where it comes from')}>
        {origin ? <OriginView origin={origin} /> : <p>{gap}</p>}
      </Part>
    </>
  );
}

/** A query's name, its verdict and why. */
export function AnswerHead(props: { query: QuerySummary }): React.ReactElement {
  const { query } = props;
  const template = query.template;
  return (
    <>
      <h3>{headline(query)}</h3>
      <p className="jp-Investigation-detail">
        {template && trans.__('%1, version %2', template.id, template.version)}{' '}
        {query.interesting !== null && (
          <Badge tone={query.interesting ? 'strong' : 'plain'}>
            {query.interesting ? trans.__('interesting') : trans.__('not interesting')}
          </Badge>
        )}
      </p>
      {template && query.reason && <p>{query.reason}</p>}
      {query.error && <p className="jp-Investigation-error">{query.error}</p>}
    </>
  );
}

function Part(props: { title: string; children: React.ReactNode }): React.ReactElement {
  return (
    <details className="jp-Investigation-section" open>
      <summary>{props.title}</summary>
      {props.children}
    </details>
  );
}

function Result(props: { query: QuerySummary; kept: KeptRows | null }): React.ReactElement {
  const { query, kept } = props;
  return (
    <>
      <dl className="jp-InvestigationInspector-facts">
        <dt>{trans.__('Rows')}</dt>
        <dd>{figure(query.rows)}</dd>
        <dt>{trans.__('Data')}</dt>
        <dd>{trans.__('up to batch %1', query.pin)}</dd>
        <dt>{trans.__('In a replay')}</dt>
        <dd title={query.compare.reason}>{compared(query)}</dd>
        {query.digest && (
          <>
            <dt>{trans.__('Digest')}</dt>
            <dd title={query.digest}>
              <code>{query.digest.slice(0, 19)}…</code>
            </dd>
          </>
        )}
      </dl>
      {kept && kept.rows.length > 0 && <Rows kept={kept} />}
    </>
  );
}

function compared(query: QuerySummary): string {
  const modes: Record<QuerySummary['compare']['mode'], string> = {
    ordered: trans.__('compared row by row'),
    unordered: trans.__('compared in any order'),
    tolerance: trans.__('compared within a tolerance'),
    shape: trans.__('compared by shape only'),
    none: trans.__('not compared')
  };
  return modes[query.compare.mode];
}

function Rows(props: { kept: KeptRows }): React.ReactElement {
  const { columns, rows, total } = props.kept;
  return (
    <>
      <div
        className="jp-InvestigationInspector-rows"
        role="region"
        aria-label={trans.__('First rows of the result')}
        tabIndex={0}
      >
        <table>
          <thead>
            <tr>
              {columns.map(column => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, number) => (
              <tr key={number}>
                {row.map((value, place) => (
                  <td key={place} data-number={typeof value === 'number'}>
                    {shown(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {total > rows.length && (
        <p className="jp-Investigation-detail">
          {trans.__('The first %1 of %2', rows.length, rowCount(total))}
        </p>
      )}
    </>
  );
}

function shown(value: unknown): string {
  if (value === null || value === undefined) {
    return '–';
  }
  return typeof value === 'number'
    ? value.toLocaleString('en', { maximumSignificantDigits: 6 })
    : String(value);
}

function OriginView(props: { origin: Origin }): React.ReactElement {
  const { says, reads, batches, batches_total, sources } = props.origin;
  return (
    <>
      <ul>
        {sources.map(source => (
          <li key={`${source.name} ${source.format} ${source.adapter_version}`}>
            <p>{source.name}</p>
            <p className="jp-Investigation-detail">
              {trans.__('adapter %1, version %2', source.format, source.adapter_version ?? '–')}
              {' · '}
              {rowCount(source.contributed)}
              {' · '}
              {trans._n('%1 batch', '%1 batches', source.batches)}
            </p>
          </li>
        ))}
      </ul>
      <details>
        <summary>
          {trans._n('%1 batch it read from', '%1 batches it read from', batches_total)}
        </summary>
        <p className="jp-Investigation-detail">{sentence(says)}.</p>
        <ul>
          {batches.map(batch => (
            <li key={batch.batch_id}>
              <p className="jp-Investigation-detail">
                {trans.__('batch %1', batch.batch_id)}
                {batch.received_at && (
                  <time dateTime={batch.received_at} title={utcTime(batch.received_at)}>
                    {' · '}
                    {trans.__('received %1', localTime(batch.received_at))}
                  </time>
                )}
                {Object.entries(batch.contributed).map(([signal, rows]) => (
                  <span key={signal}>
                    {' · '}
                    {signal === 'result' ? rowCount(rows) : `${signal}: ${figure(rows)}`}
                  </span>
                ))}
              </p>
            </li>
          ))}
        </ul>
      </details>
      {reads.map((read, place) => (
        <p
          key={place}
          className="jp-Investigation-detail"
          title={read.window ? utcWindow(read.window) : read.columns.join(', ')}
        >
          {read.window
            ? trans.__('Read %1 of %2', read.table, localWindow(read.window))
            : trans.__('Read all of %1', read.table)}
        </p>
      ))}
    </>
  );
}
