import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { cellsPlugin } from './plugins/cells';
import { dataPlugin } from './plugins/data';
import { historyPlugin } from './plugins/history';
import { launcherPlugin } from './plugins/launcher';
import { modelPlugin } from './plugins/model';
import { panelPlugin } from './plugins/panel';
import { preferencesPlugin } from './plugins/preferences';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  preferencesPlugin,
  modelPlugin,
  panelPlugin,
  cellsPlugin,
  launcherPlugin,
  dataPlugin,
  historyPlugin
];

export default plugins;
