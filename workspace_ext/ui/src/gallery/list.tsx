import * as React from 'react';
import { Badge } from '../panel/parts';
import { trans } from '../translation';
import type { TemplateInfo, TemplateProblem } from '../types';
import type { GalleryModel } from './model';
import { area, choices, EVERYTHING, signals } from './search';

/** The search and what it finds: arrows move, Enter opens. */
export function TemplateList(props: {
  model: GalleryModel;
  leave: () => void;
}): React.ReactElement {
  const { model, leave } = props;
  const found = model.found;
  const templates = found.length > 0 ? found : model.closest;
  const [active, setActive] = React.useState(0);
  const at = Math.min(active, templates.length - 1);
  const move = (step: number) => setActive(Math.max(0, Math.min(templates.length - 1, at + step)));
  const onKeyDown = (event: React.KeyboardEvent) => {
    const keys: Record<string, () => void> = {
      ArrowDown: () => move(1),
      ArrowUp: () => move(-1),
      Enter: () => templates[at] && model.choose(templates[at].id),
      Escape: () => (model.search.words ? model.look({ words: '' }) : leave())
    };
    const act = keys[event.key];
    if (act && !event.nativeEvent.isComposing) {
      event.preventDefault();
      event.stopPropagation();
      act();
    }
  };
  return (
    <>
      <input
        type="search"
        className="jp-mod-styled jp-Investigation-search"
        placeholder={trans.__('What do you want to know?')}
        aria-label={trans.__('Search templates')}
        role="combobox"
        aria-expanded={templates.length > 0}
        aria-controls={LIST}
        aria-activedescendant={templates[at] ? optionId(templates[at]) : undefined}
        value={model.search.words}
        onChange={event => {
          setActive(0);
          model.look({ words: event.target.value });
        }}
        onKeyDown={onKeyDown}
      />
      <Filters model={model} />
      {found.length < templates.length && (
        <p className="jp-Investigation-empty">
          {trans.__('No template has all these words. Close to them:')}
        </p>
      )}
      <ul id={LIST} role="listbox" aria-label={trans.__('Templates')}>
        {templates.map((template, index) => (
          <Option
            key={template.id}
            template={template}
            isActive={index === at}
            open={() => model.choose(template.id)}
          />
        ))}
      </ul>
      <p className="jp-Investigation-detail" role="status">
        {model.gallery && trans._n('%1 template', '%1 templates', templates.length)}
      </p>
      {model.gallery && templates.length === 0 && (
        <div className="jp-Investigation-blank">
          <p>{trans.__('No template answers this.')}</p>
          <button type="button" className="jp-mod-styled" onClick={() => model.look(EVERYTHING)}>
            {trans.__('Show all')}
          </button>
        </div>
      )}
      <Broken problems={model.gallery?.problems ?? []} />
    </>
  );
}

const LIST = 'jp-investigation-templates';

function optionId(template: TemplateInfo): string {
  return `${LIST}-${template.id}`;
}

function Option(props: {
  template: TemplateInfo;
  isActive: boolean;
  open: () => void;
}): React.ReactElement {
  const { template, isActive, open } = props;
  const node = React.useRef<HTMLLIElement>(null);
  React.useEffect(() => {
    if (isActive) {
      node.current?.scrollIntoView({ block: 'nearest' });
    }
  }, [isActive]);
  return (
    <li
      ref={node}
      id={optionId(template)}
      role="option"
      aria-selected={isActive}
      className="jp-Investigation-option"
      onClick={open}
    >
      <span className="jp-Investigation-title">{template.title}</span> <Status of={template} />
      <span className="jp-Investigation-detail">{template.question}</span>
      <span className="jp-Investigation-detail">
        {[template.id, ...signals(template)].join(' · ')}
      </span>
    </li>
  );
}

/** Says so when a template is not yet, or no longer, what one should use. */
export function Status(props: { of: TemplateInfo }): React.ReactElement | null {
  switch (props.of.status) {
    case 'draft':
      return <Badge tone="note">{trans.__('draft')}</Badge>;
    case 'deprecated':
      return <Badge tone="warn">{trans.__('deprecated')}</Badge>;
    default:
      return null;
  }
}

function Filters(props: { model: GalleryModel }): React.ReactElement {
  const { model } = props;
  const all = model.gallery?.templates ?? [];
  return (
    <div className="jp-Investigation-filters">
      <Filter
        label={trans.__('Area')}
        any={trans.__('All areas')}
        value={model.search.area}
        choices={choices(all, area)}
        choose={value => model.look({ area: value })}
      />
      <Filter
        label={trans.__('Signal')}
        any={trans.__('All signals')}
        value={model.search.signal}
        choices={choices(all, signals)}
        choose={value => model.look({ signal: value })}
      />
    </div>
  );
}

function Filter(props: {
  label: string;
  any: string;
  value: string;
  choices: string[];
  choose: (value: string) => void;
}): React.ReactElement {
  return (
    <select
      className="jp-mod-styled"
      aria-label={props.label}
      value={props.value}
      onChange={event => props.choose(event.target.value)}
    >
      <option value="">{props.any}</option>
      {props.choices.map(choice => (
        <option key={choice} value={choice}>
          {choice}
        </option>
      ))}
    </select>
  );
}

/** Files that cannot be used, so that nobody looks for them in vain. */
function Broken(props: { problems: readonly TemplateProblem[] }): React.ReactElement | null {
  const { problems } = props;
  if (problems.length === 0) {
    return null;
  }
  return (
    <details className="jp-Investigation-section">
      <summary>
        {trans.__('Broken templates')}
        <span className="jp-Investigation-count">{problems.length}</span>
      </summary>
      <ul>
        {problems.map(({ file, line, message }) => (
          <li key={`${file}:${line}:${message}`} data-status="error">
            <p>{line === null ? file : `${file}:${line}`}</p>
            <p className="jp-Investigation-error">{message}</p>
          </li>
        ))}
      </ul>
      <p className="jp-Investigation-detail">
        {trans.__('See all with:')} <code>jupyter investigation templates check</code>
      </p>
    </details>
  );
}
