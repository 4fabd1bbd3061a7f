import * as React from 'react';
import { METADATA_KEY } from '../cells';
import { duration } from '../format';
import type { InvestigationModel } from '../model';
import { Banner, Empty } from '../panel/empty';
import { statusLabel } from '../panel/labels';
import { Badge, Byline, UnreviewedScripts, UnreviewedTemplate } from '../panel/parts';
import { trans } from '../translation';
import type { InvestigationState, Step } from '../types';
import { Answer, AnswerHead } from './answer';
import { sourceDigest } from './digest';
import type { Provenances } from './provenances';
import { moved } from './moved';
import { PathView } from './path';
import { readCell, staleness } from './run';
import { staleWord } from './words';

/** What stands behind the active cell: its runs, their queries, and where the rows came from. */
export function Inspector(props: {
  model: InvestigationModel;
  provenances: Provenances;
}): React.ReactElement {
  const { model } = props;
  const state = model.investigation;
  const uid = model.activeCell;
  if (!model.notebook || !state || uid === null) {
    return (
      <Empty
        title={trans.__('No cell to look at')}
        text={trans.__('Select a cell of an investigation to see where its result comes from.')}
      />
    );
  }
  const runs = runsOf(state, uid);
  const number = model.cellNumber(uid);
  return (
    <>
      <h2>{number === null ? trans.__('Cell') : trans.__('Cell %1', number)}</h2>
      {runs.length === 0 ? (
        <p className="jp-Investigation-empty">
          {trans.__('This cell has not been run since the investigation began.')}
        </p>
      ) : (
        <Runs key={uid} runs={runs} state={state} {...props} />
      )}
    </>
  );
}

/** The runs of a cell, the newest first. */
function runsOf(state: InvestigationState, uid: string): Step[] {
  return Object.values(state.steps)
    .filter(step => step.cell === uid)
    .sort((a, b) => b.seq - a.seq);
}

const SHOWN = 50;

function Runs(props: {
  runs: Step[];
  state: InvestigationState;
  model: InvestigationModel;
  provenances: Provenances;
}): React.ReactElement {
  const { runs, state, model, provenances } = props;
  const [chosen, setChosen] = React.useState<string | null>(null);
  const run = runs.find(one => one.id === chosen) ?? runs[0];
  if (!run) {
    return <></>;
  }
  return (
    <>
      <p className="jp-Investigation-byline">
        <Byline by={run.by} at={run.started} />
        {run.ended && <span>{duration(run.started, run.ended)}</span>}
        <Badge tone={run.status === 'ok' ? 'good' : 'warn'}>{statusLabel(run.status)}</Badge>
      </p>
      {run.error && <p className="jp-Investigation-error">{run.error}</p>}
      <UnreviewedScripts model={model} step={run} />
      {run === runs[0] && <StaleNotes model={model} state={state} />}
      {run.queries.length === 0 && (
        <p className="jp-Investigation-empty">
          {trans.__('This run asked the store nothing: its outputs come from the code alone.')}
        </p>
      )}
      {run.queries.map(query => (
        <QueryView
          key={query}
          query={query}
          state={state}
          model={model}
          path={model.notebook?.context.localPath ?? ''}
          provenances={provenances}
        />
      ))}
      {runs.length > 1 && (
        <label className="jp-InvestigationInspector-runs">
          {trans.__('Run')}
          <select
            className="jp-mod-styled"
            value={run.id}
            onChange={event => setChosen(event.target.value)}
          >
            {runs.slice(0, SHOWN).map((one, place) => (
              <option key={one.id} value={one.id}>
                {place === 0 ? trans.__('the last one') : trans.__('%1 before', place)}
              </option>
            ))}
          </select>
        </label>
      )}
    </>
  );
}

function StaleNotes(props: {
  model: InvestigationModel;
  state: InvestigationState;
}): React.ReactElement | null {
  const cell = props.model.notebook?.content.activeCell?.model;
  const last = readCell(cell?.getMetadata(METADATA_KEY))?.last;
  if (!cell || !last) {
    return null;
  }
  const digest = sourceDigest(cell.sharedModel.getSource());
  const { state } = props;
  return (
    <>
      {staleness(last, digest, state.pin, moved(state, last.query)).map(reason => (
        <p key={reason} className="jp-Investigation-warning">
          {staleWord(reason, state.pin).title}
        </p>
      ))}
    </>
  );
}

function QueryView(props: {
  query: string;
  model: InvestigationModel;
  state: InvestigationState;
  path: string;
  provenances: Provenances;
}): React.ReactElement | null {
  const { query, model, state, path, provenances } = props;
  const summary = state.queries[query];
  if (!summary) {
    return null;
  }
  const known = provenances.of(path, query);
  return (
    <article>
      <AnswerHead query={summary} />
      <UnreviewedTemplate model={model} query={query} />
      <PathView model={model} state={state} query={summary} />
      {known === 'asking' && <p role="status">{trans.__('Looking it up…')}</p>}
      {known !== 'asking' && 'problem' in known && (
        <Banner problem={known.problem} retry={() => provenances.again(query)} />
      )}
      {known !== 'asking' && 'provenance' in known && <Answer provenance={known.provenance} />}
    </article>
  );
}
