import * as React from 'react';
import type { InvestigationModel } from '../model';
import type { InvestigationState } from '../types';
import { Badge, Byline, CellLink, Section } from './parts';

const BADGE = { note: null, finding: 'Finding', decision: 'Decision' };

/** Remarks, findings and decisions, newest first; left out while there are none. */
export function Notes(props: {
  model: InvestigationModel;
  state: InvestigationState;
}): React.ReactElement | null {
  const notes = Object.values(props.state.notes)
    .filter(note => note.superseded_by === null)
    .sort((a, b) => b.at.localeCompare(a.at));
  if (notes.length === 0) {
    return null;
  }
  return (
    <Section title="Notes and decisions" size={notes.length}>
      <ul>
        {notes.map(note => (
          <li key={note.id} data-note={note.kind}>
            <p>
              {BADGE[note.kind] && <Badge tone="note">{BADGE[note.kind]}</Badge>} {note.text}
            </p>
            {note.because && <p className="jp-Investigation-detail">Because {note.because}</p>}
            <p className="jp-Investigation-byline">
              <Byline by={note.by} at={note.at} /> <CellLink model={props.model} cell={note.cell} />
            </p>
          </li>
        ))}
      </ul>
    </Section>
  );
}
