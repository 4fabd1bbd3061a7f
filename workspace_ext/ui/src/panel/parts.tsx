import * as React from 'react';
import { FoldsContext } from '../folds';
import type { InvestigationModel } from '../model';
import { actorName, localTime, utcTime } from '../format';
import { trans } from '../translation';
import type { Step } from '../types';

/**
 * A part of the panel that can be folded; it says how many things it holds, and in `aside` what
 * matters of them while it is closed. Under `id` it is remembered whether it is open.
 */
export function Section(props: {
  title: string;
  id?: string;
  size?: number;
  aside?: React.ReactNode;
  closed?: boolean;
  children: React.ReactNode;
}): React.ReactElement {
  const folds = React.useContext(FoldsContext);
  const id = props.id ?? props.title;
  const [isOpen, setOpen] = React.useState(folds.isOpen(id, !props.closed));
  const remembered = folds.isOpen(id, !props.closed);
  React.useEffect(() => setOpen(remembered), [remembered]);
  const toggle = (event: React.SyntheticEvent<HTMLDetailsElement>): void => {
    if (event.target === event.currentTarget && event.currentTarget.open !== isOpen) {
      folds.set(id, event.currentTarget.open);
      setOpen(event.currentTarget.open);
    }
  };
  return (
    <details className="jp-Investigation-section" data-section={id} open={isOpen} onToggle={toggle}>
      <summary>
        {props.title}
        {props.size !== undefined && <span className="jp-Investigation-count">{props.size}</span>}
        {props.aside}
      </summary>
      {props.children}
    </details>
  );
}

/**
 * A menu that looks like a word, and acts when something is chosen. Arrow keys open it: by itself a
 * browser may choose with each of them.
 */
export function Menu(
  props: React.ComponentPropsWithoutRef<'select'> & { opener?: React.RefObject<HTMLSelectElement> }
): React.ReactElement {
  const { opener, ...rest } = props;
  const open = (event: React.KeyboardEvent<HTMLSelectElement>): void => {
    if (OPENING.has(event.key) && 'showPicker' in event.currentTarget) {
      event.preventDefault();
      event.currentTarget.showPicker();
    }
  };
  return <select className="jp-Investigation-menu" ref={opener} onKeyDown={open} {...rest} />;
}

const OPENING = new Set(['ArrowDown', 'ArrowUp']);

/** For what opens a form: it gets the focus back that the form took with it. */
export function useOpener<T extends HTMLElement>(isOpen: boolean): React.RefObject<T> {
  const opener = React.useRef<T>(null);
  const wasOpen = React.useRef(isOpen);
  React.useEffect(() => {
    if (wasOpen.current && !isOpen && document.activeElement === document.body) {
      opener.current?.focus();
    }
    wasOpen.current = isOpen;
  }, [isOpen]);
  return opener;
}

/** What sends a form, and what gives it up. */
export function Buttons(props: {
  done: string;
  disabled?: boolean;
  cancel: () => void;
}): React.ReactElement {
  return (
    <div className="jp-Investigation-buttons">
      <button className="jp-mod-styled jp-mod-accept" disabled={props.disabled}>
        {props.done}
      </button>
      <button type="button" className="jp-mod-styled" onClick={props.cancel}>
        {trans.__('Cancel')}
      </button>
    </div>
  );
}

/** A word in a coloured frame; the colour only repeats what the word says. */
export function Badge(props: {
  tone: string;
  title?: string;
  children: React.ReactNode;
}): React.ReactElement {
  return (
    <span className="jp-Investigation-badge" data-tone={props.tone} title={props.title}>
      {props.children}
    </span>
  );
}

/** A text as people write it in cells: what stands between backticks is code. */
export function Prose(props: { text: string }): React.ReactElement {
  return (
    <>
      {props.text
        .split(/`([^`\n]+)`/)
        .map((part, place) => (place % 2 ? <code key={place}>{part}</code> : part))}
    </>
  );
}

/** The first of many things, and a button for the others. */
export function Some<T>(props: {
  items: T[];
  limit: number;
  /** One that is shown wherever it stands. */
  always?: (item: T) => boolean;
  draw: (items: T[]) => React.ReactNode;
}): React.ReactElement {
  const { items, limit, always, draw } = props;
  const [isWhole, setWhole] = React.useState(false);
  const first = items.filter((item, at) => at < limit || always?.(item));
  const left = items.length - first.length;
  return (
    <>
      {draw(isWhole ? items : first)}
      {left > 0 && (
        <button
          type="button"
          className="jp-Investigation-link"
          aria-expanded={isWhole}
          onClick={() => setWhole(!isWhole)}
        >
          {isWhole ? trans.__('Show fewer') : trans._n('Show %1 more', 'Show %1 more', left)}
        </button>
      )}
    </>
  );
}

/** A moment in local time; its tooltip has UTC. */
export function Moment(props: { time: string }): React.ReactElement {
  return (
    <time dateTime={props.time} title={utcTime(props.time)}>
      {localTime(props.time)}
    </time>
  );
}

/** Who did something, and when. */
export function Byline(props: { by: string; at: string }): React.ReactElement {
  return (
    <>
      <span className="jp-Investigation-who" title={props.by}>
        {actorName(props.by)}
      </span>
      <Moment time={props.at} />
    </>
  );
}

/** A way to the cell that something came from. */
export function CellLink(props: {
  model: InvestigationModel;
  cell: string | null;
}): React.ReactElement | null {
  const { model, cell } = props;
  if (cell === null) {
    return null;
  }
  const number = model.cellNumber(cell);
  if (number === null) {
    return <span className="jp-Investigation-gone">{trans.__('cell removed')}</span>;
  }
  return (
    <button
      type="button"
      className="jp-Investigation-link"
      aria-label={trans.__('Go to cell %1', number)}
      title={model.cellBegin(cell)}
      onClick={() => model.goTo(cell)}
    >
      {trans.__('cell %1', number)}
    </button>
  );
}

/** Marks a query whose template nobody looked through. */
export function UnreviewedTemplate(props: {
  model: InvestigationModel;
  query: string;
}): React.ReactElement | null {
  return props.model.reviews?.isUnreviewed(props.query) ? (
    <Badge tone="warn" title={trans.__('Nobody looked through this template yet.')}>
      {trans.__('template not reviewed')}
    </Badge>
  ) : null;
}

/** Names the scripts of a run that nobody looked through. */
export function UnreviewedScripts(props: {
  model: InvestigationModel;
  step: Step | null;
}): React.ReactElement {
  return (
    <>
      {(props.model.reviews?.unreviewedScripts(props.step) ?? []).map(name => (
        <p key={name} className="jp-Investigation-detail">
          {name}{' '}
          <Badge tone="warn" title={trans.__('Nobody looked through this script yet.')}>
            {trans.__('script not reviewed')}
          </Badge>
        </p>
      ))}
    </>
  );
}
