import * as React from 'react';
import { localTime } from '../format';
import { trans } from '../translation';
import type { Catalogue } from '../types';
import type { Draft } from './draft';

const NEWEST = '';

/** Which data everybody will see: the newest there is now, or as it was. */
export function PinField(props: {
  catalogue: Catalogue | null;
  pin: number | null;
  change: (part: Partial<Draft>) => void;
}): React.ReactElement {
  const { catalogue, pin, change } = props;
  const batches = catalogue?.batches ?? [];
  const newest = batches[0];
  return (
    <label title={trans.__('Everybody here reads the same data until somebody moves the pin.')}>
      {trans.__('Data')}
      <select
        name="pin"
        className="jp-mod-styled"
        value={pin ?? NEWEST}
        onChange={event =>
          change({ pin: event.target.value === NEWEST ? null : Number(event.target.value) })
        }
      >
        <option value={NEWEST}>
          {newest
            ? trans.__('all there is now (of %1)', localTime(newest.committed_at))
            : trans.__('all there is now')}
        </option>
        {batches.slice(1).map(batch => (
          <option key={batch.batch_id} value={batch.batch_id}>
            {trans.__('as of %1 (batch %2)', localTime(batch.committed_at), batch.batch_id)}
          </option>
        ))}
      </select>
    </label>
  );
}
