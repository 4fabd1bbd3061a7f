import { clockZone } from '../format';
import { trans } from '../translation';
import type { Happening, SignalExtent, WindowDict } from '../types';

/** The ways to choose a window. */
export type Choice = '15m' | '1h' | '6h' | '24h' | 'alert' | 'times' | 'none';

/** The ways to choose what the window is compared with. */
export type Comparison = 'before' | 'day' | 'week' | 'none';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const SPANS: Partial<Record<Choice, number>> = {
  '15m': 15 * MINUTE_MS,
  '1h': HOUR_MS,
  '6h': 6 * HOUR_MS,
  '24h': DAY_MS
};

/** How long before an alert trouble may have begun, and how long it is looked at after it. */
const BEFORE_ALERT_MS = 10 * MINUTE_MS;
const AFTER_ALERT_MS = 20 * MINUTE_MS;

/** The window of a quick choice, up to the end of a minute; null for those that are no span. */
export function span(choice: Choice, end: Date): WindowDict | null {
  const length = SPANS[choice];
  const whole = Math.ceil(end.getTime() / MINUTE_MS) * MINUTE_MS;
  return length === undefined ? null : between(whole - length, whole);
}

/** The window around an alert: some time before it, until it was over. */
export function around(alert: Happening): WindowDict {
  const start = Date.parse(alert.time);
  const over = alert.end_time === null ? start + AFTER_ALERT_MS : Date.parse(alert.end_time);
  return between(start - BEFORE_ALERT_MS, Math.max(over, start + MINUTE_MS));
}

/** What a window is compared with: as long as it, and earlier. */
export function compared(window: WindowDict, how: Comparison): WindowDict | null {
  const start = Date.parse(window.start);
  const end = Date.parse(window.end);
  switch (how) {
    case 'none':
      return null;
    case 'before':
      return between(start - (end - start), start);
    case 'day':
      return between(start - DAY_MS, end - DAY_MS);
    case 'week':
      return between(start - 7 * DAY_MS, end - 7 * DAY_MS);
  }
}

/** The reader's time zone at a moment, as in `Europe/Berlin, UTC+01:00`. */
export function zoneName(at: Date): string {
  const name = clockZone();
  if (name === 'UTC') {
    return name;
  }
  const minutes = -at.getTimezoneOffset();
  const two = (n: number): string => String(n).padStart(2, '0');
  const size = Math.abs(minutes);
  const offset = `${minutes < 0 ? '−' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  return `${name}, UTC${offset}`;
}

/** What is wrong with a window; empty when nothing is. */
export function wrong(window: WindowDict | null): string {
  if (window === null) {
    return trans.__('Give both times, day and hour.');
  }
  return Date.parse(window.end) > Date.parse(window.start)
    ? ''
    : trans.__('The window ends before it begins.');
}

/** The newest record of a store; null while it is empty. */
export function newestRecord(signals: Record<string, SignalExtent>): string | null {
  const times = Object.values(signals).flatMap(signal => signal.last_time ?? []);
  return times.reduce<string | null>(
    (latest, time) => (latest === null || Date.parse(time) > Date.parse(latest) ? time : latest),
    null
  );
}

/** Whether a store has records that can lie in a window. */
export function hasData(window: WindowDict, signals: Record<string, SignalExtent>): boolean {
  return Object.values(signals).some(
    ({ first_time, last_time }) =>
      first_time !== null &&
      last_time !== null &&
      Date.parse(first_time) < Date.parse(window.end) &&
      Date.parse(last_time) >= Date.parse(window.start)
  );
}

function between(start: number, end: number): WindowDict {
  return { start: rfc3339(start), end: rfc3339(end) };
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
