import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { launcherPlugin } from './plugins/launcher';
import { modelPlugin } from './plugins/model';
import { panelPlugin } from './plugins/panel';
import { preferencesPlugin } from './plugins/preferences';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  preferencesPlugin,
  modelPlugin,
  panelPlugin,
  launcherPlugin
];

export default plugins;
