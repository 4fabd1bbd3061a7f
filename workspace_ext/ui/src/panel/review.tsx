import * as React from 'react';
import { sentence } from '../format';
import type { InvestigationModel } from '../model';
import { trans } from '../translation';
import type { Review } from '../types';
import { Badge, Byline, Section } from './parts';
import { SayForm } from './say';

const TONE: Record<Review['state'], string> = {
  draft: 'plain',
  in_review: 'note',
  approved: 'good',
  changes_requested: 'warn',
  archived: 'plain'
};

type Action = Review['actions'][number];

function label(action: Action): string {
  const labels: Record<Action, string> = {
    request: trans.__('Ask for review'),
    approve: trans.__('Approve'),
    changes: trans.__('Request changes'),
    archive: trans.__('Archive')
  };
  return labels[action];
}

function done(action: Action): string {
  const labels: Record<Action, string> = {
    request: trans.__('Sent to review'),
    approve: trans.__('Approved'),
    changes: trans.__('Changes requested'),
    archive: trans.__('Archived')
  };
  return labels[action];
}

const SHOWN = 5;

/** How the review stands, what was done last, and what may be done next. */
export function ReviewSection(props: { model: InvestigationModel }): React.ReactElement | null {
  const reviews = props.model.reviews;
  const review = reviews?.review;
  if (!reviews || !review) {
    return null;
  }
  const steps = review.steps.slice(-SHOWN).reverse();
  return (
    <Section title={trans.__('Review')}>
      <p aria-live="polite">
        <Badge tone={review.lapse ? 'warn' : TONE[review.state]}>{sentence(review.label)}</Badge>
      </p>
      <ul>
        {steps.map(step => (
          <li key={step.seq}>
            <p>
              {done(step.action)}
              {step.reason && `: ${step.reason}`}
            </p>
            <p className="jp-Investigation-byline">
              <Byline by={step.by} at={step.at} />
              {step.revision > 0 && <span>{trans.__('version %1', step.revision)}</span>}
            </p>
          </li>
        ))}
      </ul>
      <SayForm
        label={trans.__('Reason')}
        draft="review"
        optional
        whyNot={props.model.whyNot('review.moved')}
        buttons={review.actions.map(action => ({
          label: label(action),
          whyNot: props.model.whyNot(`review.${action}`),
          run: text => reviews.act(action, text)
        }))}
      />
    </Section>
  );
}
