import * as React from 'react';
import { fromClock, toClock } from '../clock';
import { clockZone } from '../format';
import { trans } from '../translation';
import type { TemplateInfo, TemplateParam } from '../types';
import type { GalleryModel } from './model';
import { isWindow, shown, standing, type Value } from './values';

/** The inputs of a template: what matters first, what may stay as it is behind a fold. */
export function Fields(props: { model: GalleryModel; template: TemplateInfo }): React.ReactElement {
  const { model, template } = props;
  const isTuning = (param: TemplateParam) => param.default !== null && param.type !== 'choice';
  const tuning = template.params.filter(isTuning);
  const isTuned = tuning.some(({ name }) => name in model.given || name in model.wrong);
  const [isOpen, setOpen] = React.useState(isTuned);
  const field = (param: TemplateParam) => <Field key={param.name} model={model} param={param} />;
  return (
    <>
      {template.params.filter(param => !isTuning(param)).map(field)}
      {tuning.length > 0 && (
        <details
          className="jp-Investigation-tuning"
          open={isOpen || isTuned}
          onToggle={event => setOpen(event.currentTarget.open)}
        >
          <summary>
            {trans.__('Thresholds and more')}
            <span className="jp-Investigation-count">{tuning.length}</span>
          </summary>
          {tuning.map(field)}
        </details>
      )}
    </>
  );
}

function Field(props: { model: GalleryModel; param: TemplateParam }): React.ReactElement {
  const { model, param } = props;
  const id = `jp-investigation-field-${param.name}`;
  const isGiven = param.name in model.given;
  const problem = model.wrong[param.name];
  const isInvalid = isGiven && problem !== undefined; // what nobody filled in yet is no mistake
  const described = [param.help && `${id}-help`, problem && `${id}-wrong`]
    .filter(Boolean)
    .join(' ');
  const control = {
    id,
    'aria-invalid': isInvalid,
    'aria-describedby': described || undefined,
    className: 'jp-mod-styled'
  };
  const value = shown(param, model.scope, model.given);
  const give = (next: Value) => model.give(param.name, next);
  return (
    <div
      className="jp-Investigation-field"
      role={param.type === 'window' ? 'group' : undefined}
      aria-labelledby={param.type === 'window' ? `${id}-label` : undefined}
    >
      <div className="jp-Investigation-label">
        <label id={`${id}-label`} htmlFor={id}>
          {param.name}
        </label>
        <span className="jp-Investigation-detail">{nature(param, isGiven)}</span>
        {isGiven && (
          <button
            type="button"
            className="jp-Investigation-link"
            aria-label={trans.__('Reset %1', param.name)}
            onClick={() => model.give(param.name, undefined)}
          >
            {trans.__('reset')}
          </button>
        )}
      </div>
      {isWindow(value) ? (
        <WindowControl {...{ id, value, give, isInvalid }} />
      ) : (
        <Control
          {...{ param, value, give, control }}
          services={[...model.scope.services, ...model.services]}
          stands={String(standing(param, model.scope, model.given))}
        />
      )}
      {param.help && (
        <p id={`${id}-help`} className="jp-Investigation-detail">
          {param.help}
        </p>
      )}
      {problem !== undefined && (
        <p
          id={`${id}-wrong`}
          className={isInvalid ? 'jp-Investigation-error' : 'jp-Investigation-warning'}
          role={isInvalid ? 'alert' : undefined}
        >
          {problem}
        </p>
      )}
    </div>
  );
}

/** What a field is, in two or three words. */
function nature(param: TemplateParam, isGiven: boolean): string {
  if (param.type === 'window') {
    return isGiven ? trans.__('your own') : trans.__('the investigation’s');
  }
  const limits = [
    param.min !== null && trans.__('from %1', param.min),
    param.max !== null && trans.__('to %1', param.max)
  ].filter(Boolean);
  const need = param.required
    ? trans.__('needed')
    : param.default === null
      ? trans.__('optional')
      : '';
  return [need, limits.join(' ')].filter(Boolean).join(', ');
}

function Control(props: {
  param: TemplateParam;
  value: string;
  stands: string;
  services: readonly string[];
  give: (value: string) => void;
  control: object & { id: string };
}): React.ReactElement {
  const { param, value, stands, give, control } = props;
  const onChange = (event: React.ChangeEvent<HTMLInputElement | HTMLSelectElement>) =>
    give(event.target.value);
  if (param.type === 'choice' || param.type === 'bool') {
    const choices = param.type === 'choice' ? param.of.map(each => [each, each]) : yesOrNo();
    return (
      <select {...control} value={value} onChange={onChange}>
        {(value === '' || stands === '') && <option value="">{trans.__('not set')}</option>}
        {choices.map(([choice, label]) => (
          <option key={choice} value={choice}>
            {label}
          </option>
        ))}
      </select>
    );
  }
  const list = param.type === 'service' ? `${control.id}-services` : undefined;
  return (
    <>
      <input
        {...control}
        type="text"
        inputMode={param.type === 'int' || param.type === 'float' ? 'decimal' : undefined}
        autoComplete="off"
        spellCheck={false}
        list={list}
        placeholder={stands || (param.type === 'service' ? trans.__('all services') : '')}
        value={value}
        onChange={onChange}
      />
      {list !== undefined && (
        <datalist id={list}>
          {completions(props.services, value).map(service => (
            <option key={service} value={service} />
          ))}
        </datalist>
      )}
    </>
  );
}

function yesOrNo(): string[][] {
  return [
    ['true', trans.__('yes')],
    ['false', trans.__('no')]
  ];
}

/** A browser is slow with thousands of them. */
const MOST_COMPLETIONS = 100;

function completions(services: readonly string[], typed: string): string[] {
  const part = typed.toLowerCase();
  return [...new Set(services)]
    .filter(service => service.toLowerCase().includes(part))
    .slice(0, MOST_COMPLETIONS);
}

function WindowControl(props: {
  id: string;
  value: { start: string; end: string };
  isInvalid: boolean;
  give: (value: Value) => void;
}): React.ReactElement {
  const { id, value, give } = props;
  const moment = (part: 'start' | 'end', label: string) => (
    <label>
      <span className="jp-Investigation-detail">{label}</span>
      <input
        id={part === 'start' ? id : undefined}
        type="datetime-local"
        step={1}
        className="jp-mod-styled"
        aria-invalid={props.isInvalid}
        value={toClock(value[part])}
        onChange={event => give({ ...value, [part]: fromClock(event.target.value) })}
      />
    </label>
  );
  return (
    <div className="jp-Investigation-window">
      {moment('start', trans.__('from'))}
      {moment('end', trans.__('to'))}
      <span className="jp-Investigation-detail">{clockZone()}</span>
    </div>
  );
}
