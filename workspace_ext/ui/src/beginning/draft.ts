import type { Catalogue, NewInvestigation, WindowDict } from '../types';
import { around, compared, span, type Choice, type Comparison } from './window';

/** What is filled in; each part as the person left it. */
export interface Draft {
  title: string;
  severity: string;
  services: string[];
  /** What stands in the box of services and was not taken yet. */
  typed: string;
  choice: Choice;
  /** Up to when the quick choices reach. */
  end: Date;
  alert: number;
  times: WindowDict | null;
  comparison: Comparison;
  pin: number | null;
}

/** An empty form, or one with what is known already. */
export function draftOf(known: Partial<NewInvestigation>, now: Date): Draft {
  return {
    title: known.title ?? '',
    severity: known.severity ?? '',
    services: known.services ?? [],
    typed: '',
    choice: known.window ? 'times' : '1h',
    end: now,
    alert: 0,
    times: known.window ?? null,
    comparison: 'before',
    pin: null
  };
}

/** The window that is chosen; null for none, and where it is not known yet. */
export function windowOf(draft: Draft, catalogue: Catalogue | null): WindowDict | null {
  if (draft.choice === 'alert') {
    const alert = catalogue?.alerts[draft.alert];
    return alert ? around(alert) : null;
  }
  return draft.choice === 'times' ? draft.times : span(draft.choice, draft.end);
}

/** What is sent. */
export function wishOf(draft: Draft, catalogue: Catalogue | null): NewInvestigation {
  const window = windowOf(draft, catalogue);
  const typed = draft.typed.trim();
  return {
    title: draft.title.trim(),
    severity: draft.severity,
    services: typed ? [...new Set([...draft.services, typed])] : draft.services,
    window,
    baseline: window && compared(window, draft.comparison),
    pin: draft.pin
  };
}

/** A form as text, to be kept while it is filled in. */
export function written(draft: Draft): string {
  return JSON.stringify(draft);
}

/** The form that a text keeps; its quick choices reach up to now. */
export function read(text: string, now: Date): Draft {
  return { ...draftOf({}, now), ...(JSON.parse(text) as Partial<Draft>), end: now };
}
