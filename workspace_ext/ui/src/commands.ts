/** The commands that this extension adds to JupyterLab. */
export const CommandIDs = {
  create: 'investigation:create',
  adopt: 'investigation:adopt',
  showPanel: 'investigation:show-panel',
  gallery: 'investigation:gallery',
  again: 'investigation:again'
} as const;

export const CATEGORY = 'Investigation';
