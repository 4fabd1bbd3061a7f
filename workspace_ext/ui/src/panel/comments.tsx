import * as React from 'react';
import type { Problem } from '../api';
import type { InvestigationModel } from '../model';
import type { Reviews } from '../reviews';
import { trans } from '../translation';
import type { InvestigationState, Thread } from '../types';
import { Badge, Byline, CellLink, Section } from './parts';
import { SayForm } from './say';
import { Refusal } from './trouble';

/** Threads of comments on cells and hypotheses, the open ones first. */
export function Comments(props: {
  model: InvestigationModel;
  state: InvestigationState;
}): React.ReactElement | null {
  const { model } = props;
  const reviews = model.reviews;
  const threads = Object.values(reviews?.review?.threads ?? {});
  if (!reviews) {
    return null;
  }
  const open = threads.filter(thread => thread.resolved_by === null);
  const settled = threads.filter(thread => thread.resolved_by !== null);
  return (
    <Section title={trans.__('Comments')} size={open.length}>
      <ul>
        {[...open, ...settled].map(thread => (
          <ThreadItem key={thread.id} thread={thread} reviews={reviews} {...props} />
        ))}
      </ul>
      <NewComment reviews={reviews} {...props} />
    </Section>
  );
}

function ThreadItem(props: {
  thread: Thread;
  reviews: Reviews;
  model: InvestigationModel;
  state: InvestigationState;
}): React.ReactElement {
  const { thread, reviews, model, state } = props;
  const [isAnswering, setAnswering] = React.useState(false);
  const [problem, setProblem] = React.useState<Problem | null>(null);
  const send = async (text: string) => {
    const problem = await reviews.comment(text, { thread: thread.id });
    setAnswering(problem !== null);
    return problem;
  };
  const isOpen = thread.resolved_by === null;
  const claim = thread.hypothesis === null ? undefined : state.hypotheses[thread.hypothesis];
  return (
    <li data-thread={isOpen ? 'open' : 'resolved'}>
      <p className="jp-Investigation-detail">
        {claim ? trans.__('On: %1', claim.text) : <CellLink model={model} cell={thread.cell} />}{' '}
        {!isOpen && <Badge tone="good">{trans.__('resolved')}</Badge>}
      </p>
      {thread.comments.map(comment => (
        <React.Fragment key={comment.id}>
          <p className="jp-Investigation-comment">{comment.text}</p>
          <p className="jp-Investigation-byline">
            <Byline by={comment.by} at={comment.at} />
          </p>
        </React.Fragment>
      ))}
      <p className="jp-Investigation-byline">
        <button
          type="button"
          className="jp-Investigation-link"
          aria-expanded={isAnswering}
          onClick={() => setAnswering(!isAnswering)}
        >
          {trans.__('Answer')}
        </button>
        <button
          type="button"
          className="jp-Investigation-link"
          onClick={() => void reviews.settle(thread).then(setProblem)}
        >
          {isOpen ? trans.__('Resolve') : trans.__('Reopen')}
        </button>
      </p>
      <Refusal problem={problem} />
      {isAnswering && (
        <SayForm
          label={trans.__('Answer')}
          draft={`answer ${thread.id}`}
          buttons={[{ label: trans.__('Send'), run: send }]}
        />
      )}
    </li>
  );
}

const CELL = '';

/** A comment on the active cell, or on a hypothesis. */
function NewComment(props: {
  reviews: Reviews;
  model: InvestigationModel;
  state: InvestigationState;
}): React.ReactElement {
  const { reviews, model, state } = props;
  const [chosen, setChosen] = React.useState(CELL);
  const cell = model.activeCell;
  const number = cell === null ? null : model.cellNumber(cell);
  const claims = Object.values(state.hypotheses).filter(claim => claim.superseded_by === null);
  const hypothesis = claims.some(claim => claim.id === chosen) ? chosen : CELL;
  const run = (text: string) =>
    hypothesis === CELL
      ? reviews.comment(text, { cell: model.activeCell ?? '' })
      : reviews.comment(text, { hypothesis });
  return (
    <div className="jp-Investigation-form" data-say="comment">
      <label>
        {trans.__('Comment on')}
        <select
          className="jp-mod-styled"
          value={hypothesis}
          onChange={event => setChosen(event.target.value)}
        >
          <option value={CELL}>
            {number === null ? trans.__('the selected cell') : trans.__('cell %1', number)}
          </option>
          {claims.map(claim => (
            <option key={claim.id} value={claim.id}>
              {claim.text}
            </option>
          ))}
        </select>
      </label>
      <SayForm
        label={trans.__('Comment')}
        draft="comment"
        buttons={[{ label: trans.__('Comment'), run }]}
      />
    </div>
  );
}
