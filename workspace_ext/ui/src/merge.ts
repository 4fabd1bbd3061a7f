import type { InvestigationDelta, InvestigationState } from './types';

/** The state after a delta: maps get the delta's entries, each whole; other values are replaced. */
export function merge(state: InvestigationState, delta: InvestigationDelta): InvestigationState {
  return {
    ...state,
    ...delta,
    hypotheses: { ...state.hypotheses, ...delta.hypotheses },
    steps: { ...state.steps, ...delta.steps },
    queries: { ...state.queries, ...delta.queries },
    notes: { ...state.notes, ...delta.notes },
    actions: { ...state.actions, ...delta.actions },
    participants: { ...state.participants, ...delta.participants }
  };
}
