import { CodeCell } from '@jupyterlab/cells';
import type { Notebook } from '@jupyterlab/notebook';
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
