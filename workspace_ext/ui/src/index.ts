import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { cellsPlugin } from './plugins/cells';
import { dataPlugin } from './plugins/data';
import { chartsPlugin } from './plugins/charts';
import { galleryPlugin } from './plugins/gallery';
import { historyPlugin } from './plugins/history';
import { launcherPlugin } from './plugins/launcher';
import { modelPlugin } from './plugins/model';
import { panelPlugin } from './plugins/panel';
import { picturesPlugin } from './plugins/pictures';
import { preferencesPlugin } from './plugins/preferences';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  preferencesPlugin,
  modelPlugin,
  panelPlugin,
  cellsPlugin,
  galleryPlugin,
  dataPlugin,
  historyPlugin,
  chartsPlugin,
  launcherPlugin,
  picturesPlugin
];

export default plugins;
