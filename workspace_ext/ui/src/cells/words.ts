import { actorName, ago, localTime, utcTime } from '../format';
import { trans } from '../translation';
import type { LastRun, Stale } from './run';

/** A word of a badge; the tone only repeats what it says. */
export interface Word {
  text: string;
  tone: 'plain' | 'strong' | 'warn' | 'bad' | 'good';
  title: string;
}

/** What a badge says of a cell's last run, in reading order. */
export function badgeWords(
  run: LastRun,
  stale: readonly Stale[],
  replay: string,
  pin: number,
  now: Date
): Word[] {
  const words: Word[] = [
    { text: actorName(run.by), tone: 'plain', title: run.by },
    {
      text: ago(run.at, now),
      tone: 'plain',
      title: `${localTime(run.at, now)} · ${utcTime(run.at)}`
    }
  ];
  if (run.pin !== null) {
    const title = trans.__('It read the data up to batch %1.', run.pin);
    words.push({ text: trans.__('pin %1', run.pin), tone: 'plain', title });
  }
  if (!run.ok) {
    words.push({ text: trans.__('failed'), tone: 'bad', title: trans.__('The run failed.') });
  } else if (run.interesting !== null) {
    words.push(finding(run.interesting));
  }
  words.push(...stale.map(reason => staleWord(reason, pin)));
  if (replay) {
    words.push({
      text: trans.__('replay: %1', replay),
      tone: replay === 'same' ? 'good' : 'warn',
      title: trans.__('What the last replay said of this cell.')
    });
  }
  return words;
}

/** All of a badge in one sentence, for who hears it. */
export function badgeLabel(words: readonly Word[]): string {
  return trans.__('Last run: %1. Show its provenance', words.map(word => word.text).join(', '));
}

/** Why a result may be out of date, as a badge says it. */
export function staleWord(reason: Stale, pin: number): Word {
  return reason === 'source'
    ? {
        text: trans.__('edited since'),
        tone: 'warn',
        title: trans.__('The code was changed after this run: the outputs may be of other code.')
      }
    : {
        text: trans.__('older data'),
        tone: 'warn',
        title: trans.__(
          'The pin moved to %1 after this run: run it again to see the newer data.',
          pin
        )
      };
}

function finding(interesting: boolean): Word {
  return interesting
    ? {
        text: trans.__('interesting'),
        tone: 'strong',
        title: trans.__('The template’s own rule found the answer interesting.')
      }
    : {
        text: trans.__('not interesting'),
        tone: 'plain',
        title: trans.__('The template’s own rule found nothing in the answer.')
      };
}
