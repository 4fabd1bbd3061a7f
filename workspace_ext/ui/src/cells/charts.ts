import { CodeCell } from '@jupyterlab/cells';
import type { Notebook, NotebookPanel } from '@jupyterlab/notebook';
import type { Widget } from '@lumino/widgets';

/** What JupyterLab draws Vega and Vega-Lite by. */
const CHART = 'jp-RenderedVegaCommon5';

/**
 * Draws a notebook's charts again.
 *
 * JupyterLab chooses a chart's colours for its theme when it draws it, and leaves it at that: after
 * a change of theme it would stay a light sheet on a dark page. Charts that were never in view are
 * drawn when they come into it.
 */
export async function redrawCharts(notebook: Notebook): Promise<void> {
  for (const cell of notebook.widgets) {
    if (cell instanceof CodeCell && cell.node.querySelector(`.${CHART}`)) {
      const { model, widgets } = cell.outputArea;
      for (const [place, output] of widgets.entries()) {
        const chart = find(output);
        if (chart && place < model.length) {
          await chart.renderModel(model.get(place));
        }
      }
    }
  }
}

/**
 * Lets only the browser in which a cell was run add a chart's picture to the notebook.
 *
 * JupyterLab's renderer adds one (a PNG, for pages that cannot draw) wherever a chart is drawn
 * that has none. That replaces an output in the shared document: in the browsers of several people
 * at once it leaves the chart there several times, and looking at a notebook would change it.
 */
export function keepPicturesOnce(panel: NotebookPanel): void {
  const { rendermime } = panel.content;
  for (const type of rendermime.mimeTypes.filter(type => VEGA.test(type))) {
    const factory = rendermime.getFactory(type);
    if (!factory) {
      continue;
    }
    const careful: Factory = {
      safe: factory.safe,
      mimeTypes: [type],
      createRenderer: options => {
        const renderer = factory.createRenderer(options);
        const render = renderer.renderModel.bind(renderer);
        renderer.renderModel = model => render(forOwn(model, panel.content));
        return renderer;
      }
    };
    rendermime.addFactory(careful, rendermime.getRank(type));
  }
}

const VEGA = /^application\/vnd\.vega(lite)?\.v\d+\+json$/;

type Factory = NonNullable<ReturnType<Notebook['rendermime']['getFactory']>>;
type Model = Parameters<ReturnType<Factory['createRenderer']>['renderModel']>[0];

/** A model that takes what is written to it only in the browser that ran its cell. */
function forOwn(model: Model, notebook: Notebook): Model {
  return Object.create(model, {
    setData: {
      value: (options: Parameters<Model['setData']>[0]) => {
        if (notebook.widgets.some(cell => cell instanceof CodeCell && isOwn(cell, model))) {
          model.setData(options);
        }
      }
    }
  }) as Model;
}

/** Whether a model is that of an output of a cell that was run here. */
function isOwn({ outputArea }: CodeCell, model: Model): boolean {
  const { model: outputs, future } = outputArea;
  const isRun = (future as typeof future | undefined | null) != null;
  return (
    isRun &&
    Array.from({ length: outputs.length }, (_, n) => outputs.get(n)).some(
      output => (output as Model) === model
    )
  );
}

interface Chart extends Widget {
  renderModel(model: unknown): Promise<void>;
}

function find(widget: Widget): Chart | null {
  if (widget.hasClass(CHART) && 'renderModel' in widget) {
    return widget as Chart;
  }
  for (const child of widget.children()) {
    const found = find(child);
    if (found) {
      return found;
    }
  }
  return null;
}
