import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { launcherPlugin } from './plugins/launcher';
import { panelPlugin } from './plugins/panel';

const plugins: JupyterFrontEndPlugin<void>[] = [panelPlugin, launcherPlugin];

export default plugins;
