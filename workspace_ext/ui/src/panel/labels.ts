import type { HypothesisState } from '../board';
import type { Kind, Saying } from '../timeline';
import { trans } from '../translation';
import type { HypothesisTest, Note, Step } from '../types';

/** How the states of a hypothesis look. */
export const TONE: Record<HypothesisState, string> = {
  proposed: 'plain',
  testing: 'note',
  supported: 'good',
  refuted: 'bad',
  inconclusive: 'warn',
  root_cause: 'strong',
  contributing: 'strong',
  ruled_out: 'plain'
};

/** The name of a state. */
export function stateLabel(state: HypothesisState): string {
  const labels: Record<HypothesisState, string> = {
    proposed: trans.__('Proposed'),
    testing: trans.__('Testing'),
    supported: trans.__('Supported'),
    refuted: trans.__('Refuted'),
    inconclusive: trans.__('Inconclusive'),
    root_cause: trans.__('Root cause'),
    contributing: trans.__('Contributing'),
    ruled_out: trans.__('Ruled out')
  };
  return labels[state];
}

/** What a test said, and why. */
export function outcomeLabel({ outcome, name, reason }: HypothesisTest): string {
  const labels: Record<HypothesisTest['outcome'], string> = {
    supported: trans.__('Supported by %1: %2', name, reason),
    refuted: trans.__('Refuted by %1: %2', name, reason),
    inconclusive: trans.__('Left open by %1: %2', name, reason)
  };
  return labels[outcome];
}

/** What was said, with what it is. */
export function sayingLabel({ kind, text }: Saying): string {
  const wordings: Record<Saying['kind'], string> = {
    Hypothesis: trans.__('Hypothesis: %1', text),
    Note: trans.__('Note: %1', text),
    Finding: trans.__('Finding: %1', text),
    Decision: trans.__('Decision: %1', text),
    Conclusion: trans.__('Conclusion: %1', text),
    Action: trans.__('Action: %1', text),
    Pin: trans.__('Pin moved to batch %1', text)
  };
  return wordings[kind];
}

/** What a timeline can show alone. */
export function kindLabel(kind: Kind): string {
  const labels: Record<Kind, string> = {
    run: trans.__('Runs'),
    answer: trans.__('Answers'),
    said: trans.__('Said and decided'),
    action: trans.__('Actions'),
    telemetry: trans.__('Alerts, deploys and the like')
  };
  return labels[kind];
}

/** What a note is; a remark is nothing more. */
export function noteLabel(kind: Note['kind']): string | null {
  const named = { note: null, finding: trans.__('Finding'), decision: trans.__('Decision') };
  return named[kind];
}

/** How a run ended, or that it has not yet. */
export function statusLabel(status: Step['status']): string {
  const labels: Record<Step['status'], string> = {
    running: trans.__('running'),
    ok: trans.__('finished'),
    error: trans.__('failed'),
    aborted: trans.__('not run'),
    unknown: trans.__('end not seen')
  };
  return labels[status];
}
