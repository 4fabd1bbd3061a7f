import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { PageConfig } from '@jupyterlab/coreutils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { Api } from '../api';
import { outlastLogins } from '../login';
import { IInvestigationModel, InvestigationModel } from '../model';
import { meOfPage } from '../viewing';

/** One live story for all views; who shows any of it requires `IInvestigationModel`. */
export const modelPlugin: JupyterFrontEndPlugin<InvestigationModel> = {
  id: 'investigation-workspace:model',
  description: 'Follows the investigation of the notebook in front, live.',
  autoStart: true,
  provides: IInvestigationModel,
  requires: [INotebookTracker],
  activate: ({ serviceManager }: JupyterFrontEnd, tracker: INotebookTracker) => {
    outlastLogins(serviceManager.serverSettings);
    return new InvestigationModel({
      api: new Api(serviceManager.serverSettings),
      me: meOfPage(PageConfig.getOption('investigationMe')),
      tracker,
      contents: serviceManager.contents
    });
  }
};
