import * as React from 'react';
import { figure, localWindow, sentence } from '../format';
import { Section } from '../panel/parts';
import { Refusal } from '../panel/trouble';
import { trans } from '../translation';
import type { DataModel } from './model';
import type { Quality } from './quality';

const SHOWN = 15;

/** How far the newest data can be trusted; asked for, as it takes its time on a large store. */
export function QualitySection(props: { model: DataModel }): React.ReactElement {
  const { model } = props;
  const quality = model.quality;
  return (
    <Section id="data-quality" title={trans.__('Quality')}>
      {quality !== null && quality !== 'asking' && 'message' in quality && (
        <Refusal problem={quality} />
      )}
      {quality !== null && quality !== 'asking' && 'signals' in quality && (
        <Report quality={quality} />
      )}
      <button
        type="button"
        className="jp-Investigation-link"
        disabled={quality === 'asking'}
        onClick={() => void model.judge()}
      >
        {quality === 'asking'
          ? trans.__('Looking…')
          : quality === null
            ? trans.__('Look at the newest hour: gaps, late and doubled records')
            : trans.__('Look again')}
      </button>
    </Section>
  );
}

function Report(props: { quality: Quality }): React.ReactElement {
  const { window, signals, warnings } = props.quality;
  const troubled = signals.filter(
    one =>
      one.gaps.length > 0 ||
      one.late_share > 0 ||
      one.duplicate_share > 0 ||
      (one.behind_seconds ?? 0) > 60
  );
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  return (
    <>
      <p className="jp-Investigation-detail">{localWindow(window)}</p>
      {warnings.map(warning => (
        <p key={warning} className="jp-Investigation-warning">
          {sentence(warning)}
        </p>
      ))}
      {warnings.length === 0 && troubled.length === 0 && (
        <p>{trans.__('Nothing to be careful about.')}</p>
      )}
      {troubled.length > 0 && (
        <table className="jp-Investigation-table">
          <thead>
            <tr>
              <th scope="col">{trans.__('Service')}</th>
              <th scope="col">{trans.__('Behind')}</th>
              <th scope="col">{trans.__('Gaps')}</th>
              <th scope="col">{trans.__('Late')}</th>
            </tr>
          </thead>
          <tbody>
            {troubled.slice(0, SHOWN).map(one => (
              <tr key={`${one.signal} ${one.service}`}>
                <th scope="row">
                  {one.service} <span className="jp-Investigation-detail">{one.signal}</span>
                </th>
                <td>{trans.__('%1 s', figure(one.behind_seconds ?? 0))}</td>
                <td>
                  {trans.__(
                    '%1 min',
                    one.gaps.reduce((sum, gap) => sum + gap.minutes, 0)
                  )}
                </td>
                <td>{percent(one.late_share)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
