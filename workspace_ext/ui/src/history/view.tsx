import { InputDialog } from '@jupyterlab/apputils';
import * as React from 'react';
import { actorName } from '../format';
import type { InvestigationModel } from '../model';
import { Banner, Empty } from '../panel/empty';
import { Badge, Moment } from '../panel/parts';
import { trans } from '../translation';
import type { Review, VersionInfo } from '../types';
import { isEdit, reviewed, summary } from './changes';
import { Difference } from './diff';
import type { HistoryModel } from './model';

/** The versions of a notebook at the left, what differs at the right. */
export function HistoryView(props: {
  history: HistoryModel;
  model: InvestigationModel;
}): React.ReactElement {
  const { history, model } = props;
  const { versions, problem } = history;
  const retry = () => void history.refresh();
  if (versions === null || versions.length === 0) {
    return problem ? (
      <Banner problem={problem} retry={retry} />
    ) : (
      <Empty
        title={versions === null ? trans.__('Loading…') : trans.__('No versions yet')}
        text={versions === null ? '' : trans.__('Each save of an investigation is a version.')}
      />
    );
  }
  const isOurs = model.notebook?.context.localPath === history.path;
  return (
    <>
      {problem && <Banner problem={problem} retry={retry} />}
      <div className="jp-InvestigationHistory-both">
        <Versions
          history={history}
          versions={versions}
          review={isOurs ? (model.reviews?.review ?? null) : null}
        />
        <Chosen history={history} versions={versions} whyNot={model.whyNot('version.restored')} />
      </div>
    </>
  );
}

function Versions(props: {
  history: HistoryModel;
  versions: readonly VersionInfo[];
  review: Review | null;
}): React.ReactElement {
  const { history, versions, review } = props;
  const [editsOnly, setEditsOnly] = React.useState(false);
  const steps = reviewed(review);
  const shown = editsOnly ? versions.filter(isEdit) : versions;
  return (
    <nav aria-label={trans.__('Versions')} className="jp-InvestigationHistory-versions">
      <label className="jp-InvestigationHistory-filter">
        <input
          type="checkbox"
          checked={editsOnly}
          onChange={event => setEditsOnly(event.target.checked)}
        />
        {trans.__('Edits only')}
      </label>
      <ol>
        {shown.map(version => (
          <li key={version.revision}>
            <Version
              version={version}
              steps={steps.get(version.revision) ?? []}
              isChosen={version === history.chosen}
              look={() => void history.look(version.revision, history.against)}
            />
          </li>
        ))}
      </ol>
      {history.hasOlder && (
        <button
          type="button"
          className="jp-Investigation-link"
          onClick={() => void history.older()}
        >
          {trans.__('Show older versions')}
        </button>
      )}
    </nav>
  );
}

function Version(props: {
  version: VersionInfo;
  steps: Review['steps'];
  isChosen: boolean;
  look: () => void;
}): React.ReactElement {
  const { version, steps, isChosen, look } = props;
  return (
    <button type="button" aria-current={isChosen ? 'true' : undefined} onClick={look}>
      <span className="jp-InvestigationHistory-line">
        <b>{trans.__('Version %1', version.revision)}</b> <Moment time={version.at} />
      </span>
      <span className="jp-InvestigationHistory-line">
        {version.actors.map(actorName).join(', ')}
        {' · '}
        {version.parent === 0 ? trans.__('the first version') : summary(version.changes)}
      </span>
      {version.reason && <span className="jp-InvestigationHistory-line">{version.reason}</span>}
      {steps.map(step => (
        <Badge key={step.seq} tone={step.action === 'approve' ? 'good' : 'note'}>
          {acted(step)}
        </Badge>
      ))}
    </button>
  );
}

function acted({ action, by }: Review['steps'][number]): string {
  const words: Record<typeof action, string> = {
    request: trans.__('sent to review by %1', actorName(by)),
    approve: trans.__('approved by %1', actorName(by)),
    changes: trans.__('changes requested by %1', actorName(by)),
    archive: trans.__('archived by %1', actorName(by))
  };
  return words[action];
}

function Chosen(props: {
  history: HistoryModel;
  versions: readonly VersionInfo[];
  whyNot: string;
}): React.ReactElement {
  const { history, versions, whyNot } = props;
  const { chosen, against, difference } = history;
  if (!chosen) {
    return <div />;
  }
  const isNewest = chosen === versions[0] && against === 'previous';
  const whyNotThis =
    whyNot || (isNewest ? trans.__('This is the newest version: choose an older one.') : '');
  return (
    <div className="jp-InvestigationHistory-chosen">
      <header>
        <h2>{trans.__('Version %1', chosen.revision)}</h2>
        <select
          className="jp-mod-styled"
          aria-label={trans.__('Compare with')}
          value={against}
          onChange={event =>
            void history.look(chosen.revision, event.target.value === 'now' ? 'now' : 'previous')
          }
        >
          <option value="previous">{trans.__('what this version changed')}</option>
          <option value="now">{trans.__('what changed after it until now')}</option>
        </select>
        <button
          type="button"
          className="jp-mod-styled"
          disabled={whyNotThis !== ''}
          title={whyNotThis}
          onClick={() => void restore(history, chosen.revision, null)}
        >
          {trans.__('Restore this version…')}
        </button>
      </header>
      {difference ? (
        <Difference
          difference={difference}
          versions={versions}
          whyNot={revision => (revision === chosen.revision ? whyNotThis : whyNot)}
          restore={(revision, cell) => void restore(history, revision, cell)}
        />
      ) : (
        <p className="jp-Investigation-empty" role="status">
          {chosen.parent === 0 && against === 'previous'
            ? trans.__('This is the first version: there is nothing to compare it with.')
            : history.problem === null && trans.__('Comparing…')}
        </p>
      )}
    </div>
  );
}

/** Asks first: it changes what everybody sees. */
async function restore(
  history: HistoryModel,
  revision: number,
  cell: string | null
): Promise<void> {
  const result = await InputDialog.getText({
    title:
      cell === null
        ? trans.__('Restore version %1?', revision)
        : trans.__('Restore this cell from version %1?', revision),
    label: trans.__(
      'It changes for everybody who has the notebook open. What it is now stays in the history. Why?'
    ),
    placeholder: trans.__('Reason'),
    text: history.reason,
    okLabel: trans.__('Restore')
  });
  if (result.button.accept) {
    await history.restore(revision, cell, result.value?.trim() ?? '');
  }
}
