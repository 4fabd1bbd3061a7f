import * as React from 'react';
import type { InvestigationModel } from '../model';
import { AgendaSection } from './agenda';
import { Comments } from './comments';
import { ConclusionCard } from './conclusion';
import { Decisions } from './decisions';
import { DraftsContext } from '../drafts';
import { Banner, Empty, Obstacle, Waiting } from './empty';
import { Header } from './header';
import { Hypotheses } from './hypotheses';
import { ReviewSection } from './review';
import { Timeline } from './timeline';
import { KnownContext } from './trouble';
import { trans } from '../translation';

/** What a reader of the panel may set in motion. */
export interface Actions {
  /** Makes a new investigation in a notebook of its own. */
  create: () => void;
  /** Turns the notebook in front into an investigation. */
  adopt: () => void;
  /** Shows what is in the store, and how to send more. */
  showData: () => void;
}

/** The whole panel, for whatever is known right now. */
export function PanelView(props: {
  model: InvestigationModel;
  actions: Actions;
}): React.ReactElement {
  const { model, actions } = props;
  const { problem, investigation: state } = model;
  if (!model.notebook) {
    return (
      <Empty
        title={trans.__('No notebook in front')}
        text={
          model.whyNot('open') ||
          trans.__('Open a notebook to see its investigation, or begin a new one.')
        }
        action={
          model.whyNot('open')
            ? undefined
            : { label: trans.__('New investigation'), run: actions.create }
        }
      />
    );
  }
  if (state === undefined) {
    return <NotKnown model={model} />;
  }
  if (state === null) {
    return <NoInvestigation model={model} actions={actions} />;
  }
  return (
    <KnownContext.Provider value={problem?.message ?? ''}>
      <DraftsContext.Provider key={state.uid} value={state.uid}>
        {problem && <Banner problem={problem} retry={() => model.retry()} />}
        {!problem && model.isStarting && (
          <div role="status" className="jp-Investigation-banner">
            {trans.__('The broker is starting again. You can go on: nothing is lost.')}
          </div>
        )}
        <Header model={model} state={state} showData={actions.showData} />
        <ConclusionCard model={model} conclusion={state.conclusion} />
        <AgendaSection model={model} state={state} />
        <Hypotheses model={model} state={state} />
        <Decisions model={model} state={state} />
        <Timeline model={model} state={state} />
        <ReviewSection model={model} />
        <Comments model={model} state={state} />
      </DraftsContext.Provider>
    </KnownContext.Provider>
  );
}

function NotKnown(props: { model: InvestigationModel }): React.ReactElement {
  const { model } = props;
  if (model.problem) {
    return <Obstacle problem={model.problem} retry={() => model.retry()} />;
  }
  return model.isStarting ? (
    <Waiting
      title={trans.__('The broker is starting…')}
      text={trans.__('It opens the store; this takes a moment.')}
    />
  ) : (
    <Waiting title={trans.__('Connecting…')} />
  );
}

function NoInvestigation(props: {
  model: InvestigationModel;
  actions: Actions;
}): React.ReactElement {
  const { model, actions } = props;
  if (model.isReady && model.problem) {
    return <Obstacle problem={model.problem} retry={() => model.retry()} />;
  }
  if (model.isReady) {
    return (
      <Empty
        title={trans.__('Ready to investigate')}
        text={trans.__(
          'Run a cell: the investigation opens with it, and every run is captured from then on.'
        )}
      />
    );
  }
  return (
    <Empty
      title={trans.__('This notebook is not an investigation')}
      text={
        model.whyNot('open') ||
        trans.__(
          'Nothing of it is captured. Started here, every run in it is captured from then on.'
        )
      }
      action={
        model.whyNot('open')
          ? undefined
          : { label: trans.__('Start investigation here'), run: actions.adopt }
      }
    />
  );
}
