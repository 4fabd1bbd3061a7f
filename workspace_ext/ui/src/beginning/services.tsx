import * as React from 'react';
import { trans } from '../translation';
import type { Draft } from './draft';

const SHOWN = 50;

/** The affected services: chosen from those that the store knows, or written freely. */
export function ServicesField(props: {
  known: string[];
  chosen: string[];
  typed: string;
  change: (part: Partial<Draft>) => void;
}): React.ReactElement {
  const { known, chosen, typed, change } = props;
  const list = React.useId();
  const matching = known
    .filter(name => !chosen.includes(name) && name.includes(typed.trim()))
    .slice(0, SHOWN);
  const type = (text: string): void => {
    const parts = text.split(/[,\s]+/);
    const rest = parts.pop() ?? '';
    // Choosing from the list fills in the whole name at once.
    const whole = known.includes(rest) && rest.length - typed.length > 1;
    const taken = [...parts, ...(whole ? [rest] : [])].filter(Boolean);
    change({ services: [...new Set([...chosen, ...taken])], typed: whole ? '' : rest });
  };
  return (
    <div className="jp-Investigation-services">
      <label>
        {trans.__('Affected services')}
        <input
          name="services"
          className="jp-mod-styled"
          list={list}
          autoComplete="off"
          placeholder={trans.__('a name, then a comma')}
          value={typed}
          onChange={event => type(event.target.value)}
          onBlur={() => type(`${typed},`)}
        />
      </label>
      <datalist id={list}>
        {matching.map(name => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {chosen.length > 0 && (
        <p className="jp-Investigation-chips">
          {chosen.map(name => (
            <button
              key={name}
              type="button"
              title={trans.__('Take %1 out', name)}
              data-unknown={known.length > 0 && !known.includes(name)}
              onClick={() => change({ services: chosen.filter(other => other !== name) })}
            >
              {name} ×
            </button>
          ))}
        </p>
      )}
    </div>
  );
}
