import type { Agenda, AgendaItem } from './types';

/** Seconds since the current item began, never less than none. */
export function elapsed(agenda: Agenda, now: Date): number {
  return agenda.since === null
    ? 0
    : Math.max(0, Math.floor((now.getTime() - Date.parse(agenda.since)) / 1000));
}

/** Seconds as a clock shows them, as in `12:03`. */
export function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** The item after the current one, the first one before any; null after the last. */
export function following(agenda: Agenda): AgendaItem | null {
  const at = agenda.items.findIndex(item => item.id === agenda.current);
  return agenda.items[at + 1] ?? null;
}

/** An agenda as text: a line an item, with its minutes at the end. */
export function written(items: AgendaItem[]): string {
  return items.map(({ title, minutes }) => `${title} ${minutes}`).join('\n');
}

/** The agenda that a text says; items that were there keep their ids. */
export function read(text: string, known: AgendaItem[], newId: () => string): AgendaItem[] {
  const left = [...known];
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(Boolean)
    .map(line => {
      const [, words, number] = /^(.*?)\s+(\d{1,4})$/.exec(line) ?? [];
      const title = (words ?? line).slice(0, 200);
      const minutes = Math.min(Number(number ?? 10), 1440);
      const same = left.findIndex(item => item.title === title);
      const id = same < 0 ? newId() : (left.splice(same, 1)[0]?.id ?? newId());
      return { id, title, minutes };
    });
}
