import type { WindowDict } from './types';

/** A moment in the reader's own time zone; the date only when it is not today. */
export function localTime(time: string, now: Date = new Date()): string {
  const moment = new Date(time);
  return sameDay(moment, now) ? clockTime(moment) : `${localDate(moment)} ${clockTime(moment)}`;
}

/** The same moment in UTC, as in `2022-08-22 03:51:07 UTC`. */
export function utcTime(time: string): string {
  return `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** A window in the reader's time zone, as in `22 Aug 2022 03:51–03:55`. */
export function localWindow(window: WindowDict): string {
  const start = new Date(window.start);
  const end = new Date(window.end);
  const clock = start.getSeconds() || end.getSeconds() ? clockTime : minute;
  const from = `${localDate(start)} ${clock(start)}`;
  return sameDay(start, end)
    ? `${from}–${clock(end)}`
    : `${from} – ${localDate(end)} ${clock(end)}`;
}

/** The same window in UTC. */
export function utcWindow(window: WindowDict): string {
  return `${utcTime(window.start)} – ${utcTime(window.end)}`;
}

/** How long something took, in two figures that matter. */
export function duration(started: string, ended: string): string {
  const seconds = Math.max(0, Date.parse(ended) - Date.parse(started)) / 1000;
  if (seconds < 1) {
    return `${Math.round(seconds * 1000)} ms`;
  }
  if (seconds < 60) {
    return `${seconds.toFixed(1)} s`;
  }
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** The person or program behind an actor such as `user:alice`. */
export function actorName(actor: string): string {
  const colon = actor.indexOf(':');
  const name = actor.slice(colon + 1);
  return actor.startsWith('kernel:') ? 'kernel' : name;
}

/** A count with its noun, as in `1 row` and `1,204 rows`. */
export function count(n: number, noun: string): string {
  return `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
}

/** A text with a capital at its beginning: hints of errors have none. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function sameDay(a: Date, b: Date): boolean {
  return a.toDateString() === b.toDateString();
}

function localDate(moment: Date): string {
  return moment.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
}

function clockTime(moment: Date): string {
  return moment.toLocaleTimeString('en-GB');
}

function minute(moment: Date): string {
  return moment.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}
