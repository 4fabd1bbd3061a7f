import * as React from 'react';
import { atOnce, board, type HypothesisState, type Lane } from '../board';
import type { InvestigationModel } from '../model';
import { headline } from '../query';
import { trans } from '../translation';
import type { Hypothesis, InvestigationState } from '../types';
import { JudgeForm } from './judge';
import { outcomeLabel, stateLabel, TONE } from './labels';
import { Badge, Byline, CellLink, Menu, Prose, Section, Some, useOpener } from './parts';
import { ProposeForm } from './propose';

interface Judging {
  id: string;
  to: HypothesisState;
}

/** How many cards of a state are shown at first. */
const SHOWN = 10;

/** What people believe, by how it stands; a card is moved by its menu, or by dragging it. */
export function Hypotheses(props: {
  model: InvestigationModel;
  state: InvestigationState;
}): React.ReactElement {
  const { model, state } = props;
  const [judging, setJudging] = React.useState<Judging | null>(null);
  const [touched, setTouched] = React.useState('');
  const [dragged, setDragged] = React.useState<Hypothesis | null>(null);
  const focused = React.useRef<string | null>(null);
  const judge = (id: string, to: HypothesisState | null): void => {
    setTouched(id);
    setJudging(to && { id, to });
  };
  const lanes = board(state.hypotheses);
  const size = lanes.reduce((sum, lane) => sum + lane.cards.length, 0);
  const open = dragged ? model.reachable(dragged.state).filter(each => each !== dragged.state) : [];
  const view = (lane: Lane): React.ReactElement => (
    <LaneView
      key={lane.state}
      lane={lane}
      isOpen={open.includes(lane.state)}
      drop={() => {
        if (dragged) {
          judge(dragged.id, lane.state);
        }
        setDragged(null);
      }}
    >
      <Some
        items={lane.cards}
        limit={SHOWN}
        always={({ id }) => id === touched}
        draw={cards => (
          <ul>
            {cards.map(hypothesis => (
              <Card
                key={hypothesis.id}
                hypothesis={hypothesis}
                to={judging?.id === hypothesis.id ? judging.to : null}
                judge={to => judge(hypothesis.id, to)}
                drag={setDragged}
                focused={focused}
                {...props}
              />
            ))}
          </ul>
        )}
      />
    </LaneView>
  );
  // Behind all others, so that no card moves from under the pointer.
  const tray = lanes.filter(lane => lane.cards.length === 0 && open.includes(lane.state));
  return (
    <Section id="hypotheses" title={trans.__('Hypotheses')} size={size}>
      {lanes.filter(lane => lane.cards.length > 0).map(view)}
      {tray.length > 0 && <div className="jp-Investigation-tray">{tray.map(view)}</div>}
      <ProposeForm model={model} isFirst={size === 0} />
    </Section>
  );
}

/** The cards of one state; while a card is dragged that may come here, it can be dropped on it. */
function LaneView(props: {
  lane: Lane;
  isOpen: boolean;
  drop: () => void;
  children: React.ReactNode;
}): React.ReactElement {
  const { lane, isOpen, drop, children } = props;
  return (
    <section
      className="jp-Investigation-lane"
      data-lane={lane.state}
      data-open={isOpen}
      onDragOver={event => isOpen && event.preventDefault()}
      onDrop={event => {
        event.preventDefault();
        drop();
      }}
    >
      <h3>
        <Badge tone={TONE[lane.state]}>{stateLabel(lane.state)}</Badge>
        {lane.cards.length > 1 && (
          <span className="jp-Investigation-count">{lane.cards.length}</span>
        )}
      </h3>
      {children}
    </section>
  );
}

interface CardProps {
  hypothesis: Hypothesis;
  model: InvestigationModel;
  state: InvestigationState;
  to: HypothesisState | null;
  judge: (to: HypothesisState | null) => void;
  drag: (hypothesis: Hypothesis | null) => void;
  /** The card that went with the focus in it: where it comes again, in another lane, it has it. */
  focused: React.MutableRefObject<string | null>;
}

function Card(props: CardProps): React.ReactElement {
  const { hypothesis, model, to, judge, drag, focused } = props;
  const { id } = hypothesis;
  const opener = useOpener<HTMLSelectElement>(to !== null);
  const card = React.useRef<HTMLLIElement>(null);
  React.useLayoutEffect(() => {
    const here = card.current;
    if (focused.current === id) {
      focused.current = null;
      opener.current?.focus();
    }
    return () => {
      if (here?.contains(document.activeElement)) {
        focused.current = id;
      }
    };
  }, [id, focused, opener]);
  const reason = model.whyNot('hypothesis.changed');
  const isMoved = hypothesis.judged !== null && !atOnce(hypothesis, props.state);
  return (
    <li
      ref={card}
      data-hypothesis={hypothesis.state}
      draggable={reason === '' && to === null}
      onDragStart={event => {
        event.dataTransfer.setData('text/plain', hypothesis.text);
        drag(hypothesis);
      }}
      onDragEnd={() => drag(null)}
    >
      <p className="jp-Investigation-claim">
        <Prose text={hypothesis.text} />
      </p>
      <Grounds {...props} />
      {isMoved && hypothesis.judged && (
        <p className="jp-Investigation-byline">
          <span>{trans.__('moved here:')}</span>
          <Byline by={hypothesis.judged.by} at={hypothesis.judged.at} />
        </p>
      )}
      <div className="jp-Investigation-byline">
        {isMoved && <span>{trans.__('stated:')}</span>}
        <Byline by={hypothesis.by} at={hypothesis.at} />
        <CellLink model={model} cell={hypothesis.cell} />
        <Menu
          opener={opener}
          aria-label={trans.__('Change the state of: %1', hypothesis.text)}
          disabled={reason !== ''}
          title={reason || trans.__('Change its state')}
          value=""
          onChange={event => judge(event.target.value as HypothesisState)}
        >
          <option value="" disabled hidden>
            {trans.__('Move…')}
          </option>
          {model.reachable(hypothesis.state).map(state => (
            <option key={state} value={state}>
              {stateLabel(state as HypothesisState)}
            </option>
          ))}
        </Menu>
      </div>
      {to && <JudgeForm model={model} hypothesis={hypothesis} to={to} done={() => judge(null)} />}
    </li>
  );
}

/** What it predicts, what its tests said, and what else speaks for it. */
function Grounds({ hypothesis, model, state }: CardProps): React.ReactElement {
  const tests = Object.values(hypothesis.tests);
  const standing = tests.filter(test => !test.replaced);
  const asked = new Set(tests.map(test => test.query));
  const evidence = hypothesis.evidence.filter(id => !asked.has(id));
  return (
    <>
      {hypothesis.prediction && (
        <p className="jp-Investigation-detail">
          {trans.__('Predicts: %1', hypothesis.prediction)}{' '}
          {hypothesis.prediction_late && (
            <Badge tone="warn">{trans.__('written after a test began')}</Badge>
          )}
        </p>
      )}
      {standing.map(test => (
        <p key={test.id} className="jp-Investigation-detail">
          {outcomeLabel(test)}
          {test.judge === 'kernel' && ` ${trans.__('(found by code in the kernel)')}`}{' '}
          {test.cell !== hypothesis.cell && <CellLink model={model} cell={test.cell} />}
        </p>
      ))}
      {standing.length < tests.length && (
        <p className="jp-Investigation-detail">
          {trans._n(
            '%1 earlier test replaced',
            '%1 earlier tests replaced',
            tests.length - standing.length
          )}
        </p>
      )}
      {standing.length === 0 && hypothesis.state !== 'testing' && hypothesis.why && (
        <p className="jp-Investigation-detail">{trans.__('Because %1', hypothesis.why)}</p>
      )}
      {hypothesis.override && (
        <p className="jp-Investigation-detail">
          <Badge tone="warn">{trans.__('despite its tests')}</Badge> {hypothesis.override}
        </p>
      )}
      {hypothesis.superseded_by !== null && (
        <p className="jp-Investigation-detail">{trans.__('Its words were changed since.')}</p>
      )}
      {evidence.map(id => {
        const query = state.queries[id];
        return (
          <p key={id} className="jp-Investigation-detail">
            {trans.__('Evidence: %1', query ? headline(query) : trans.__('a cell'))}{' '}
            <CellLink model={model} cell={query ? query.cell : id} />
          </p>
        );
      })}
    </>
  );
}
