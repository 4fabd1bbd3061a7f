import * as React from 'react';
import { sentence } from '../format';
import type { InvestigationModel } from '../model';
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

const LABEL: Record<Review['actions'][number], string> = {
  request: 'Ask for review',
  approve: 'Approve',
  changes: 'Request changes',
  archive: 'Archive'
};

const DONE: Record<Review['actions'][number], string> = {
  request: 'Sent to review',
  approve: 'Approved',
  changes: 'Changes requested',
  archive: 'Archived'
};

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
    <Section title="Review">
      <p aria-live="polite">
        <Badge tone={review.lapse ? 'warn' : TONE[review.state]}>{sentence(review.label)}</Badge>
      </p>
      <ul>
        {steps.map(step => (
          <li key={step.seq}>
            <p>
              {DONE[step.action]}
              {step.reason && `: ${step.reason}`}
            </p>
            <p className="jp-Investigation-byline">
              <Byline by={step.by} at={step.at} />
              {step.revision > 0 && <span>version {step.revision}</span>}
            </p>
          </li>
        ))}
      </ul>
      <SayForm
        label="Reason"
        optional
        buttons={review.actions.map(action => ({
          label: LABEL[action],
          run: text => reviews.act(action, text)
        }))}
      />
    </Section>
  );
}
