import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { showPictures } from '../pictures';

/** In the place of controls that cannot be shown, what they last said. */
export const picturesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'investigation-workspace:pictures',
  description: 'Shows the still picture of an ipywidget while its controls are not there.',
  autoStart: true,
  requires: [INotebookTracker],
  activate: ({ started }: JupyterFrontEnd, tracker: INotebookTracker) => {
    const follow = (panel: NotebookPanel) => {
      const show = () => showPictures(panel.content.rendermime);
      // After everybody else has heard of the notebook, or of its kernel.
      void Promise.resolve().then(show);
      panel.sessionContext.kernelChanged.connect(() => void Promise.resolve().then(show));
    };
    void started.then(() => {
      tracker.forEach(follow);
      tracker.widgetAdded.connect((_, panel) => follow(panel));
    });
  }
};
