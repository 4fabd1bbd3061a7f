import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { cellsPlugin } from './plugins/cells';
import { executorPlugin } from './plugins/executor';
import { dataPlugin } from './plugins/data';
import { chartsPlugin } from './plugins/charts';
import { galleryPlugin } from './plugins/gallery';
import { historyPlugin } from './plugins/history';
import { launcherPlugin } from './plugins/launcher';
import { modelPlugin } from './plugins/model';
import { panelPlugin } from './plugins/panel';
import { picturesPlugin } from './plugins/pictures';
import { preferencesPlugin } from './plugins/preferences';
import { viewingPlugin } from './plugins/viewing';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  preferencesPlugin,
  executorPlugin,
  modelPlugin,
  viewingPlugin,
  panelPlugin,
  cellsPlugin,
  galleryPlugin,
  dataPlugin,
  historyPlugin,
  chartsPlugin,
  launcherPlugin,
  picturesPlugin
];

/** Notes in the browser's performance timeline what a plugin adds to JupyterLab's start. */
function timed(plugin: JupyterFrontEndPlugin<unknown>): JupyterFrontEndPlugin<unknown> {
  return {
    ...plugin,
    activate: (...given) => {
      const start = performance.now();
      try {
        return plugin.activate(...given);
      } finally {
        performance.measure(plugin.id, { start });
      }
    }
  };
}

export default plugins.map(timed);
