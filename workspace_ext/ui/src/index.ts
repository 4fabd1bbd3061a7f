import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { cellsPlugin } from './plugins/cells';
import { launcherPlugin } from './plugins/launcher';
import { modelPlugin } from './plugins/model';
import { panelPlugin } from './plugins/panel';
import { preferencesPlugin } from './plugins/preferences';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  preferencesPlugin,
  modelPlugin,
  panelPlugin,
  cellsPlugin,
  launcherPlugin
];

export default plugins;
