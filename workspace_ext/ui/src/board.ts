import type { Hypothesis, InvestigationState } from './types';

export type HypothesisState = Hypothesis['state'];

/** The states in the order of the board: what matters now comes first. */
const LANES: readonly HypothesisState[] = [
  'root_cause',
  'contributing',
  'supported',
  'testing',
  'proposed',
  'inconclusive',
  'refuted',
  'ruled_out'
];

/** A lane of the board with its cards. */
export interface Lane {
  state: HypothesisState;
  cards: Hypothesis[];
}

/** The board: all lanes in order, the cards of each from the oldest; reworded claims once. */
export function board(hypotheses: Record<string, Hypothesis>): Lane[] {
  const shown = Object.values(hypotheses)
    // A claim that was only reworded is not shown twice; one that was looked into stays.
    .filter(one => one.superseded_by === null || one.state !== 'proposed')
    .sort((a, b) => a.at.localeCompare(b.at));
  return LANES.map(state => ({ state, cards: shown.filter(card => card.state === state) }));
}

/** Whether the run that stated a claim also brought it to its state. */
export function atOnce({ at, by, cell, judged }: Hypothesis, state: InvestigationState): boolean {
  if (!judged || judged.by !== by || cell === null) {
    return false;
  }
  const [stated, moved] = [Date.parse(at), Date.parse(judged.at)];
  return Object.values(state.steps).some(
    step =>
      step.cell === cell &&
      Date.parse(step.started) <= stated &&
      (step.ended === null || moved <= Date.parse(step.ended))
  );
}
