import type { NotebookPanel } from '@jupyterlab/notebook';
import { Panel } from '@lumino/widgets';

type Registry = NotebookPanel['content']['rendermime'];
type Factory = NonNullable<ReturnType<Registry['getFactory']>>;
type Renderer = ReturnType<Factory['createRenderer']>;
type Model = Parameters<Renderer['renderModel']>[0];

const CONTROLS = 'application/vnd.jupyter.widget-view+json';
const PICTURE = 'text/html';

const ours = new WeakSet<Factory>();

/**
 * Lets a notebook show the still picture of an ipywidget while its controls are not there: while
 * they load, when their kernel is gone, and for whoever opens the notebook after that.
 *
 * Whoever registers the renderer of controls does so for each notebook, and may do so again.
 */
export function showPictures(rendermime: Registry): void {
  const factory = rendermime.getFactory(CONTROLS);
  if (!factory || ours.has(factory)) {
    return;
  }
  const withPicture: Factory = {
    safe: factory.safe,
    mimeTypes: [CONTROLS],
    createRenderer: options => new Pictured(factory.createRenderer(options), rendermime)
  };
  ours.add(withPicture);
  rendermime.addFactory(withPicture, rendermime.getRank(CONTROLS));
}

/** Controls, or the picture that came with them. */
class Pictured extends Panel implements Renderer {
  constructor(controls: Renderer, rendermime: Registry) {
    super();
    this._controls = controls;
    this._rendermime = rendermime;
    this.addWidget(controls);
    // Until there is a view of the controls, all that stands there is a text about it.
    this._observer = new MutationObserver(() => this._choose());
    this._observer.observe(controls.node, { childList: true });
  }

  async renderModel(model: Model): Promise<void> {
    if (model.data[PICTURE] !== undefined) {
      const picture = this._rendermime.createRenderer(PICTURE);
      await picture.renderModel(model);
      this._picture?.dispose();
      this._picture = picture;
      this.addWidget(picture);
      this._choose();
    }
    await this._controls.renderModel(model);
    this._choose();
  }

  override dispose(): void {
    this._observer.disconnect();
    super.dispose();
  }

  private _choose(): void {
    if (this._picture) {
      const isLive = this._controls.node.firstElementChild !== null;
      this._picture.setHidden(isLive);
      this._controls.setHidden(!isLive);
    }
  }

  private readonly _controls: Renderer;
  private readonly _rendermime: Registry;
  private readonly _observer: MutationObserver;
  private _picture: Renderer | null = null;
}
