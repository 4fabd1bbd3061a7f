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
    words.push(replayWord(replay));
  }
  return words;
}

/** All of a badge in one sentence, for who hears it. */
export function badgeLabel(words: readonly Word[]): string {
  return trans.__('Last run: %1. Show its provenance', words.map(word => word.text).join(', '));
}

/** Why a result may be out of date, as a badge says it. */
export function staleWord(reason: Stale, pin: number): Word {
  const words: Record<Stale, [text: string, title: string]> = {
    source: [
      trans.__('edited since'),
      trans.__('The code was changed after this run: the outputs may be of other code.')
    ],
    pin: [
      trans.__('older data'),
      trans.__('The pin moved to %1 after this run: run it again to see the newer data.', pin)
    ],
    scope: [
      trans.__('older window'),
      trans.__(
        'The window or the baseline of the investigation was moved after this run: run it again to ask about the new one.'
      )
    ],
    parent: [
      trans.__('older input'),
      trans.__(
        'The answer that this one follows from was asked again, and says something else now.'
      )
    ]
  };
  const [text, title] = words[reason];
  return { text, tone: 'warn', title };
}

/** What the last replay of the archive said of the cell; it may know more verdicts than we do. */
function replayWord(verdict: string): Word {
  const words: Record<string, [text: string, tone: Word['tone'], title: string]> = {
    same: [trans.__('replay: same'), 'good', trans.__('The last replay gave the same results.')],
    changed: [trans.__('replay: changed'), 'warn', trans.__('The last replay gave other results.')],
    'data missing': [
      trans.__('replay: data missing'),
      'warn',
      trans.__('Data that this cell read was not there for the last replay.')
    ],
    error: [trans.__('replay: error'), 'bad', trans.__('This cell failed in the last replay.')],
    skipped: [
      trans.__('replay: skipped'),
      'plain',
      trans.__('The last replay had nothing of this cell to compare, or did not come to it.')
    ]
  };
  const [text, tone, title] = words[verdict] ?? [
    trans.__('replay: %1', verdict),
    'warn',
    trans.__('What the last replay said of this cell.')
  ];
  return { text, tone, title };
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
