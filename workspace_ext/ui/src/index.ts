import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { launcherPlugin } from './plugins/launcher';
import { panelPlugin } from './plugins/panel';
import { preferencesPlugin } from './plugins/preferences';

const plugins: JupyterFrontEndPlugin<unknown>[] = [preferencesPlugin, panelPlugin, launcherPlugin];

export default plugins;
