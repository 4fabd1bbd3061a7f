import { trans } from './translation';
import type { WindowDict } from './types';

let zone: Intl.DateTimeFormatOptions = {};

/** Chooses the clock by which `localTime` and `localWindow` tell moments. */
export function showTimesIn(timeZone: 'local' | 'UTC'): void {
  zone = timeZone === 'UTC' ? { timeZone } : {};
}

/** The name of the clock that is shown, as in `Europe/Berlin` or `UTC`. */
export function clockZone(): string {
  return zone.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** A moment by the reader's clock; the date only when it is not today. */
export function localTime(time: string, now: Date = new Date()): string {
  const moment = new Date(time);
  return sameDay(moment, now) ? clockTime(moment) : `${localDate(moment)} ${clockTime(moment)}`;
}

/** How long ago a moment was, in a word or two; the moment itself when it was before yesterday. */
export function ago(time: string, now: Date = new Date()): string {
  const minutes = Math.floor((now.getTime() - Date.parse(time)) / 60_000);
  if (minutes < 1) {
    return trans.__('just now');
  }
  if (minutes < 60) {
    return trans._n('%1 min ago', '%1 min ago', minutes);
  }
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? trans._n('%1 h ago', '%1 h ago', hours) : localTime(time, now);
}

/** The same moment in UTC, as in `2022-08-22 03:51:07 UTC`. */
export function utcTime(time: string): string {
  return `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** A window by the reader's clock, as in `22 Aug 2022 03:51–03:55 CEST`. */
export function localWindow(window: WindowDict): string {
  const start = new Date(window.start);
  const end = new Date(window.end);
  const clock = start.getUTCSeconds() || end.getUTCSeconds() ? clockTime : minute;
  const from = `${localDate(start)} ${clock(start)}`;
  const span = sameDay(start, end)
    ? `${from}–${clock(end)}`
    : `${from} – ${localDate(end)} ${clock(end)}`;
  return `${span}\u00a0${clockName(start)}`; // a clock's name alone on a line says nothing
}

/** A window as `localWindow` tells it, to the minute: for what is too narrow for seconds. */
export function localMinutes(window: WindowDict): string {
  return localWindow({ start: wholeMinute(window.start), end: wholeMinute(window.end) });
}

/** The clock that is shown, as it is called at a moment: the cells beside it speak of UTC. */
function clockName(at: Date): string {
  const parts = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short', ...zone });
  return parts.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? clockZone();
}

/** The same window in UTC. */
export function utcWindow(window: WindowDict): string {
  return `${utcTime(window.start)} – ${utcTime(window.end)}`;
}

/** How long something took, in two figures that matter. */
export function duration(started: string, ended: string): string {
  const seconds = Math.max(0, Date.parse(ended) - Date.parse(started)) / 1000;
  if (seconds < 1) {
    return trans.__('%1 ms', Math.round(seconds * 1000));
  }
  if (seconds < 60) {
    return trans.__('%1 s', seconds.toFixed(1));
  }
  return trans.__('%1 min %2 s', Math.floor(seconds / 60), Math.round(seconds % 60));
}

/** The person or program behind an actor such as `user:alice`. */
export function actorName(actor: string): string {
  const colon = actor.indexOf(':');
  const name = actor.slice(colon + 1);
  return actor.startsWith('kernel:') ? trans.__('kernel') : name;
}

/** A number as people write it, as in `1,204`. */
export function figure(n: number): string {
  return n.toLocaleString('en');
}

/** How many rows, as in `1 row` and `1,204 rows`. */
export function rowCount(n: number): string {
  return trans._n('%2 row', '%2 rows', n, figure(n));
}

/** A text with a capital at its beginning: hints of errors have none. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function wholeMinute(time: string): string {
  return `${new Date(time).toISOString().slice(0, 16)}:00Z`;
}

function sameDay(a: Date, b: Date): boolean {
  return localDate(a) === localDate(b);
}

function localDate(moment: Date): string {
  return moment.toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    ...zone
  });
}

function clockTime(moment: Date): string {
  return moment.toLocaleTimeString('en-GB', zone);
}

function minute(moment: Date): string {
  return moment.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', ...zone });
}
