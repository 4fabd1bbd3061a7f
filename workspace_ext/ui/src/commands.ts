/** The commands that this extension adds to JupyterLab. */
export const CommandIDs = {
  create: 'investigation:create',
  adopt: 'investigation:adopt',
  showPanel: 'investigation:show-panel',
  showData: 'investigation:show-data',
  gallery: 'investigation:gallery',
  again: 'investigation:again',
  onward: 'investigation:onward',
  askNext: 'investigation:ask-next',
  showProvenance: 'investigation:show-provenance',
  commentOnCell: 'investigation:comment-on-cell',
  showHistory: 'investigation:show-history'
} as const;

export const CATEGORY = 'Investigation';
