import * as React from 'react';
import { Banner, Obstacle, Waiting } from '../panel/empty';
import { trans } from '../translation';
import { TemplateDetail } from './detail';
import { TemplateList } from './list';
import type { GalleryModel } from './model';

/** What a reader of the gallery may set in motion elsewhere. */
export interface GalleryActions {
  /** Back to the notebook in front. */
  leave: () => void;
  /** Runs a command of JupyterLab. */
  run: (command: string) => void;
}

/** The whole gallery, for whatever is known right now. */
export function GalleryView(props: {
  model: GalleryModel;
  actions: GalleryActions;
}): React.ReactElement {
  const { model, actions } = props;
  const retry = () => void model.retry();
  if (model.gallery === null) {
    return model.problem ? (
      <Obstacle problem={model.problem} retry={retry} />
    ) : (
      <Waiting title={trans.__('Reading the templates…')} />
    );
  }
  return (
    <>
      {model.problem && <Banner problem={model.problem} retry={retry} />}
      {model.chosen ? (
        <TemplateDetail model={model} template={model.chosen} run={actions.run} />
      ) : (
        <TemplateList model={model} leave={actions.leave} />
      )}
    </>
  );
}
