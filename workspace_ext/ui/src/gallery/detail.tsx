import * as React from 'react';
import { trans } from '../translation';
import type { TemplateInfo } from '../types';
import { Fields } from './fields';
import { Status } from './list';
import type { GalleryModel } from './model';
import { signals } from './search';

/** One template: its question, its form, and how far its answer reaches. */
export function TemplateDetail(props: {
  model: GalleryModel;
  template: TemplateInfo;
  run: (command: string) => void;
}): React.ReactElement {
  const { model, template, run } = props;
  const onSubmit = (event: React.FormEvent) => {
    event.preventDefault();
    void model.ask(true);
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      model.back();
    }
  };
  return (
    <form onSubmit={onSubmit} onKeyDown={onKeyDown} noValidate>
      <button type="button" className="jp-Investigation-link" onClick={() => model.back()}>
        {trans.__('‹ All templates')}
      </button>
      <h2>
        {template.title} <Status of={template} />
      </h2>
      <p>{template.question}</p>
      <p className="jp-Investigation-detail">
        {[template.id, trans.__('version %1', template.version), ...signals(template)].join(' · ')}
      </p>
      <Fields key={template.id} model={model} template={template} />
      <Actions model={model} run={run} />
      <About model={model} template={template} />
    </form>
  );
}

/** The code that will be inserted, the two buttons, and what stands in their way. */
function Actions(props: {
  model: GalleryModel;
  run: (command: string) => void;
}): React.ReactElement {
  const { model, run } = props;
  const { code, whyNotRun, whyNotInsert } = model;
  return (
    <div className="jp-Investigation-ask">
      {code && <pre aria-label={trans.__('The cell')}>{code}</pre>}
      <div className="jp-Investigation-buttons">
        <button
          type="submit"
          className="jp-mod-styled jp-mod-accept"
          disabled={code === '' || whyNotRun !== null}
        >
          {trans.__('Run here')}
        </button>
        <button
          type="button"
          className="jp-mod-styled"
          disabled={code === '' || whyNotInsert !== null}
          onClick={() => void model.ask(false)}
        >
          {trans.__('Insert')}
        </button>
      </div>
      {whyNotRun && (
        <p className="jp-Investigation-detail" role="status">
          {whyNotRun.reason}{' '}
          {whyNotRun.remedy && (
            <button
              type="button"
              className="jp-Investigation-link"
              onClick={() => run(whyNotRun.remedy!.command)}
            >
              {whyNotRun.remedy.label}
            </button>
          )}
        </p>
      )}
    </div>
  );
}

function About(props: { model: GalleryModel; template: TemplateInfo }): React.ReactElement {
  const { model, template } = props;
  return (
    <dl className="jp-Investigation-about">
      <Picture model={model} template={template} />
      <Lines title={trans.__('Covers')} lines={template.covers} />
      <Lines title={trans.__('Does not cover')} lines={template.not_covered} />
      <Lines title={trans.__('Interesting when')} lines={[template.interesting]} code />
      <Next model={model} template={template} />
      <Lines title={trans.__('References')} lines={template.references} />
    </dl>
  );
}

function Lines(props: {
  title: string;
  lines: readonly string[];
  code?: boolean;
}): React.ReactElement | null {
  const { title, lines, code } = props;
  return lines.length === 0 ? null : (
    <>
      <dt>{title}</dt>
      {lines.map(line => (
        <dd key={line}>{code ? <code>{line}</code> : line}</dd>
      ))}
    </>
  );
}

/** An example of what comes back. */
function Picture(props: {
  model: GalleryModel;
  template: TemplateInfo;
}): React.ReactElement | null {
  const { model, template } = props;
  const [address, setAddress] = React.useState('');
  React.useEffect(() => {
    let isShown = true;
    let made = '';
    if (template.picture) {
      model.picture(template.id).then(
        found => {
          made = found;
          if (isShown) {
            setAddress(found);
          } else {
            URL.revokeObjectURL(found);
          }
        },
        () => undefined // a template without its picture is as useful
      );
    }
    return () => {
      isShown = false;
      setAddress('');
      URL.revokeObjectURL(made);
    };
  }, [model, template.id, template.digest, template.picture]);
  return address === '' ? null : (
    <>
      <dt>{trans.__('An answer looks like this')}</dt>
      <dd>
        <img src={address} alt={trans.__('Example result of %1', template.title)} />
      </dd>
    </>
  );
}

/** What one asks after it. */
function Next(props: { model: GalleryModel; template: TemplateInfo }): React.ReactElement | null {
  const { model, template } = props;
  const next = (template.next ?? []).flatMap(each => {
    const target = model.template(each.template);
    return target ? [{ ...each, target }] : [];
  });
  if (next.length === 0) {
    return null;
  }
  return (
    <>
      <dt>{trans.__('Then ask')}</dt>
      {next.map(({ target, when, params }) => (
        <dd key={target.id}>
          <button
            type="button"
            className="jp-Investigation-link"
            title={target.question}
            onClick={() => model.choose(target.id, model.carried(target, params ?? {}))}
          >
            {target.title}
          </button>
          {when && <span className="jp-Investigation-detail"> {trans.__('when %1', when)}</span>}
        </dd>
      ))}
    </>
  );
}
