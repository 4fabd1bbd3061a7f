import * as React from 'react';
import { actorName } from '../format';
import { trans } from '../translation';
import type { CellDiff, DiffLine, VersionDiff, VersionInfo } from '../types';
import { lastWith, outputsNoted, whatBecame, whoChanged } from './changes';

/** What differs, cell by cell. */
export function Difference(props: {
  difference: VersionDiff;
  versions: readonly VersionInfo[];
  /** Why nothing can be brought back from a version; empty when it can. */
  whyNot: (revision: number) => string;
  restore: (revision: number, cell: string) => void;
}): React.ReactElement {
  const { difference, versions, whyNot, restore } = props;
  const { cells, unchanged, metadata } = difference;
  return (
    <>
      {cells.length === 0 && (
        <p className="jp-Investigation-empty">{trans.__('No cell differs.')}</p>
      )}
      {cells.map(cell => (
        <Cell
          key={cell.uid}
          cell={cell}
          who={whoChanged(versions, cell.uid, difference.old, difference.new)}
          from={lastWith(cell, difference)}
          whyNot={whyNot}
          restore={revision => restore(revision, cell.uid)}
        />
      ))}
      <p className="jp-Investigation-detail">
        {unchanged > 0 && trans._n('%1 cell is the same.', '%1 cells are the same.', unchanged)}{' '}
        {metadata && trans.__('The notebook’s own metadata differ.')}
      </p>
    </>
  );
}

function Cell(props: {
  cell: CellDiff;
  who: string[];
  /** The version that it can be brought back from. */
  from: number | null;
  whyNot: (revision: number) => string;
  restore: (revision: number) => void;
}): React.ReactElement {
  const { cell, who, from, whyNot, restore } = props;
  const place = cell.after ?? cell.before ?? 0;
  const outputs = outputsNoted(cell);
  return (
    <section
      className="jp-InvestigationHistory-cell"
      aria-label={trans.__('Cell %1: %2', place, whatBecame(cell))}
    >
      <header>
        <h3>{trans.__('Cell %1', place)}</h3>
        <span>{whatBecame(cell)}</span>
        {who.length > 0 && (
          <span className="jp-Investigation-who" title={who.join(', ')}>
            {trans.__('by %1', who.map(actorName).join(', '))}
          </span>
        )}
        {from !== null && (
          <button
            type="button"
            className="jp-Investigation-link"
            aria-label={trans.__('Restore cell %1…', place)}
            disabled={whyNot(from) !== ''}
            title={whyNot(from)}
            onClick={() => restore(from)}
          >
            {trans.__('Restore this cell…')}
          </button>
        )}
      </header>
      {cell.lines.length > 0 && (
        <pre tabIndex={0} aria-label={trans.__('What differs in the source of cell %1', place)}>
          {cell.lines.map((line, number) => (
            <Line key={number} line={line} />
          ))}
        </pre>
      )}
      {outputs && <p className="jp-Investigation-detail">{outputs}</p>}
    </section>
  );
}

function Line(props: { line: DiffLine }): React.ReactElement {
  const { kind, text } = props.line;
  switch (kind) {
    case 'added':
      return <ins>{`+ ${text}\n`}</ins>;
    case 'removed':
      return <del>{`- ${text}\n`}</del>;
    case 'skip':
      return (
        <i>
          {trans._n('  … %1 line that is the same', '  … %1 lines that are the same', Number(text))}
          {'\n'}
        </i>
      );
    default:
      return <>{`  ${text}\n`}</>;
  }
}
