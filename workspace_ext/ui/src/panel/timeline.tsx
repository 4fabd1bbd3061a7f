import * as React from 'react';
import type { InvestigationModel } from '../model';
import { authors, filtered, timeline, type Entry, type Filter, type Kind } from '../timeline';
import { actorName } from '../format';
import { trans } from '../translation';
import type { InvestigationState } from '../types';
import { EntryItem } from './entry';
import { kindLabel } from './labels';
import { Pages } from './pages';
import { Section } from './parts';

const KINDS: Kind[] = ['run', 'answer', 'said', 'action', 'telemetry'];
const ALL = '';

/** What was run, asked and said, and what telemetry tells of the window; newest first. */
export function Timeline(props: {
  model: InvestigationModel;
  state: InvestigationState;
}): React.ReactElement {
  const { model, state } = props;
  const [filter, setFilter] = React.useState<Filter>({ kind: null, person: null });
  const happenings = model.happenings;
  const all = React.useMemo(() => timeline(state, happenings), [state, happenings]);
  const entries = React.useMemo(() => filtered(all, filter), [all, filter]);
  return (
    <Section id="timeline" title={trans.__('Timeline')} size={entries.length}>
      {all.length > 0 && <Filters all={all} filter={filter} choose={setFilter} />}
      {Object.keys(state.steps).length === 0 && (
        <p className="jp-Investigation-empty">
          {trans.__('Nothing was run yet; every run appears here. A good first one:')}
          <code>investigation.run(&quot;triage.overview&quot;)</code>
        </p>
      )}
      {all.length > 0 && entries.length === 0 && (
        <p className="jp-Investigation-empty">
          {trans.__('Nothing of this kind.')}{' '}
          <button
            type="button"
            className="jp-Investigation-link"
            onClick={() => setFilter({ kind: null, person: null })}
          >
            {trans.__('Show all')}
          </button>
        </p>
      )}
      <Pages
        items={entries}
        keyOf={keyOf}
        draw={entry => <EntryItem entry={entry} model={model} state={state} />}
      />
    </Section>
  );
}

function keyOf(entry: Entry): string {
  return entry.key;
}

function Filters(props: {
  all: Entry[];
  filter: Filter;
  choose: (filter: Filter) => void;
}): React.ReactElement {
  const { all, filter, choose } = props;
  const people = React.useMemo(() => authors(all), [all]);
  return (
    <div className="jp-Investigation-filters">
      <select
        className="jp-mod-styled"
        aria-label={trans.__('Show only this kind')}
        value={filter.kind ?? ALL}
        onChange={event => choose({ ...filter, kind: (event.target.value || null) as Kind | null })}
      >
        <option value={ALL}>{trans.__('Everything')}</option>
        {KINDS.map(kind => (
          <option key={kind} value={kind}>
            {kindLabel(kind)}
          </option>
        ))}
      </select>
      <select
        className="jp-mod-styled"
        aria-label={trans.__('Show only what this person did')}
        value={filter.person ?? ALL}
        onChange={event => choose({ ...filter, person: event.target.value || null })}
      >
        <option value={ALL}>{trans.__('Everybody')}</option>
        {people.map(person => (
          <option key={person} value={person}>
            {actorName(person)}
          </option>
        ))}
      </select>
    </div>
  );
}
