import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IStateDB } from '@jupyterlab/statedb';
import type { ReadonlyPartialJSONObject, ReadonlyPartialJSONValue } from '@lumino/coreutils';
import { Api } from '../api';
import type { Proposal } from '../cells/onward';
import { CATEGORY, CommandIDs } from '../commands';
import { GalleryModel, type Desk } from '../gallery/model';
import { GALLERY_ID, GalleryPanel } from '../gallery/widget';
import { templatesIcon } from '../icons';
import { IInvestigationModel, type InvestigationModel } from '../model';
import { IPreferences, type Preferences } from '../preferences';
import { trans } from '../translation';

const DESK = 'investigation-workspace:gallery';
const GATHER_MS = 500;

/** The left-hand sidebar in which one finds a template, fills it in, and asks it. */
export const galleryPlugin: JupyterFrontEndPlugin<void> = {
  id: DESK,
  description: 'Finds query templates, fills them in from the investigation, and asks them.',
  autoStart: true,
  requires: [IPreferences, IInvestigationModel],
  optional: [ICommandPalette, ILayoutRestorer, IStateDB],
  activate: (
    app: JupyterFrontEnd,
    preferences: Preferences,
    story: InvestigationModel,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    stateDB: IStateDB | null
  ) => {
    const { commands, serviceManager, shell } = app;
    const model = new GalleryModel(new Api(serviceManager.serverSettings), story);
    const panel = new GalleryPanel(model, {
      leave: () => story.notebook?.activate(),
      run: command => void commands.execute(command)
    });
    shell.add(panel, 'left', { rank: 600, type: 'Investigation' });
    restorer?.add(panel, GALLERY_ID);
    preferences.changed.connect(() => panel.update());
    if (stateDB) {
      void keep(model, stateDB);
    }

    // A right click opens a menu on a cell without making it the active one.
    const meant = (args: ReadonlyPartialJSONObject): HTMLElement | undefined =>
      args['isContext'] ? app.contextMenuHitTest(isCodeCell) : undefined;
    commands.addCommand(CommandIDs.gallery, {
      label: trans.__('Ask a Template…'),
      caption: trans.__('Find a tested question, fill it in, and run it in this notebook'),
      icon: templatesIcon,
      execute: () => {
        model.back();
        shell.activateById(GALLERY_ID);
      }
    });
    commands.addCommand(CommandIDs.again, {
      label: trans.__('Run Again with…'),
      caption: trans.__('Ask the template of this cell again, with other inputs'),
      icon: templatesIcon,
      isVisible: args => model.asked(meant(args)) !== null,
      isEnabled: args => model.asked(meant(args)) !== null,
      execute: async args => {
        await model.again(meant(args));
        shell.activateById(GALLERY_ID);
      }
    });
    commands.addCommand(CommandIDs.onward, {
      label: trans.__('Ask What an Answer Leads To'),
      isVisible: () => false, // it is for the buttons below an answer, which say what to ask
      execute: async args => {
        if (!(await model.onward(args as unknown as Proposal))) {
          shell.activateById(GALLERY_ID);
        }
      }
    });
    story.stateChanged.connect(() => commands.notifyCommandChanged(CommandIDs.again));
    for (const command of [CommandIDs.gallery, CommandIDs.again]) {
      palette?.addItem({ command, category: CATEGORY });
    }
  }
};

function isCodeCell(node: HTMLElement): boolean {
  return node.classList.contains('jp-CodeCell');
}

/** What stood in the gallery is there again after a reload. */
async function keep(model: GalleryModel, stateDB: IStateDB): Promise<void> {
  const kept = (await stateDB.fetch(DESK)) as Partial<Desk> | undefined;
  if (kept) {
    model.restore(kept);
  }
  let last = model.desk;
  let timer: number | undefined;
  model.stateChanged.connect(() => {
    if (model.desk !== last) {
      last = model.desk;
      window.clearTimeout(timer);
      timer = window.setTimeout(() => {
        void stateDB.save(DESK, last as unknown as ReadonlyPartialJSONValue);
      }, GATHER_MS);
    }
  });
}
