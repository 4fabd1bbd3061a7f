import * as React from 'react';
import { fromClock, toClock } from '../clock';
import { localTime } from '../format';
import { trans } from '../translation';
import type { Happening, WindowDict } from '../types';
import type { Draft } from './draft';
import type { Choice } from './window';

/** How the window is chosen: radio buttons, so that arrow keys move between them. */
export function WindowChoice(props: {
  choice: Choice;
  hasAlerts: boolean;
  choose: (choice: Choice) => void;
}): React.ReactElement {
  const choices: [Choice, string][] = [
    ['15m', trans.__('Last 15 min')],
    ['1h', trans.__('Hour')],
    ['6h', trans.__('6 h')],
    ['24h', trans.__('Day')],
    ['alert', trans.__('From an alert')],
    ['times', trans.__('Times…')],
    ['none', trans.__('Not yet')]
  ];
  return (
    <div
      className="jp-Investigation-choices"
      role="radiogroup"
      aria-label={trans.__('When it hurts')}
    >
      {choices.map(([choice, label]) => (
        <label key={choice} data-chosen={choice === props.choice}>
          <input
            type="radio"
            name="window"
            value={choice}
            checked={choice === props.choice}
            disabled={choice === 'alert' && !props.hasAlerts}
            onChange={() => props.choose(choice)}
          />
          {label}
        </label>
      ))}
    </div>
  );
}

/** Which alert; choosing one fills in what is still empty. */
export function AlertField(props: {
  alerts: Happening[];
  chosen: number;
  change: (part: Partial<Draft>) => void;
}): React.ReactElement {
  return (
    <label>
      {trans.__('Alert')}
      <select
        name="alert"
        className="jp-mod-styled"
        value={props.chosen}
        onChange={event => props.change({ alert: Number(event.target.value) })}
      >
        {props.alerts.map((alert, number) => (
          <option key={number} value={number}>
            {[localTime(alert.time), alert.service, alert.title].filter(Boolean).join(' · ')}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Two times by the reader's clock, whose zone is told. */
export function TimesField(props: {
  window: WindowDict | null;
  fault: string;
  change: (part: Partial<Draft>) => void;
}): React.ReactElement {
  const { window, fault, change } = props;
  const [typed, setTyped] = React.useState({
    start: window ? toClock(window.start) : '',
    end: window ? toClock(window.end) : ''
  });
  const set = (side: 'start' | 'end', value: string): void => {
    const both = { ...typed, [side]: value };
    setTyped(both);
    const start = fromClock(both.start);
    const end = fromClock(both.end);
    change({ times: start && end ? { start, end } : null });
  };
  return (
    <>
      <div className="jp-Investigation-row">
        {(['start', 'end'] as const).map(side => (
          <label key={side}>
            {side === 'start' ? trans.__('From') : trans.__('To')}
            <input
              type="datetime-local"
              step="1"
              className={`jp-mod-styled${fault ? ' jp-mod-error' : ''}`}
              aria-invalid={fault !== ''}
              value={typed[side]}
              onChange={event => set(side, event.target.value)}
            />
          </label>
        ))}
      </div>
      {fault && (
        <p role="alert" className="jp-Investigation-error">
          {fault}
        </p>
      )}
    </>
  );
}
