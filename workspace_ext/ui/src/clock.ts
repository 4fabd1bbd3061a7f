import { clockZone } from './format';

/** A moment as a `datetime-local` control wants it, by the reader's clock; empty for none. */
export function toClock(time: string): string {
  const moment = Date.parse(time);
  if (Number.isNaN(moment)) {
    return '';
  }
  const offset = clockZone() === 'UTC' ? 0 : new Date(moment).getTimezoneOffset();
  const text = new Date(moment - offset * MINUTE_MS).toISOString();
  return text.slice(0, text.endsWith('.000Z') ? 19 : 23);
}

/** What such a control says, as RFC 3339 in UTC; empty while it says no moment. */
export function fromClock(text: string): string {
  const moment = Date.parse(clockZone() === 'UTC' ? `${text}Z` : text);
  return text === '' || Number.isNaN(moment)
    ? ''
    : new Date(moment).toISOString().replace('.000Z', 'Z');
}

const MINUTE_MS = 60_000;
