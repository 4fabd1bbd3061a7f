import * as React from 'react';
import type { InvestigationModel } from '../model';
import { trans } from '../translation';
import type { InvestigationState, Note } from '../types';
import { Badge, Byline, CellLink, Section } from './parts';

/** A remark has none. */
function badge(kind: Note['kind']): string | null {
  const named = { note: null, finding: trans.__('Finding'), decision: trans.__('Decision') };
  return named[kind];
}

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
    <Section title={trans.__('Notes and decisions')} size={notes.length}>
      <ul>
        {notes.map(note => (
          <li key={note.id} data-note={note.kind}>
            <p>
              {badge(note.kind) && <Badge tone="note">{badge(note.kind)}</Badge>} {note.text}
            </p>
            {note.because && (
              <p className="jp-Investigation-detail">{trans.__('Because %1', note.because)}</p>
            )}
            <p className="jp-Investigation-byline">
              <Byline by={note.by} at={note.at} /> <CellLink model={props.model} cell={note.cell} />
            </p>
          </li>
        ))}
      </ul>
    </Section>
  );
}
