import { LabIcon } from '@jupyterlab/ui-components';

/** A trace of spans under a lens: what this product is about. */
export const investigationIcon = new LabIcon({
  name: 'investigation-workspace:investigation',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M10.5 2a8.5 8.5 0 1 0 5.3 15.1l4.6 4.6 1.3-1.3-4.6-4.6A8.5 8.5 0 0 0 10.5 2zm0 1.9a6.6 6.6 0 1 1 0 13.2 6.6 6.6 0 0 1 0-13.2z"/>
    <rect x="6" y="7" width="6" height="1.8" rx=".6"/>
    <rect x="8" y="10" width="6.5" height="1.8" rx=".6"/>
    <rect x="10" y="13" width="3" height="1.8" rx=".6"/>
  </g>
</svg>`
});

/** Questions in a drawer: the templates. */
export const templatesIcon = new LabIcon({
  name: 'investigation-workspace:templates',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M4 3h16a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zm1 2v14h14V5z"/>
    <path d="M12 7a3.2 3.2 0 0 0-3.2 3.2h1.7a1.5 1.5 0 1 1 2.4 1.2c-.9.7-1.7 1.3-1.7 2.9h1.7c0-.9.5-1.2 1.1-1.7A3.2 3.2 0 0 0 12 7z"/>
    <circle cx="12" cy="16.4" r="1.1"/>
  </g>
</svg>`
});

/** Where a result comes from: a point, and the way back from it. */
export const provenanceIcon = new LabIcon({
  name: 'investigation-workspace:provenance',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <circle cx="12" cy="19" r="3"/><circle cx="5" cy="5" r="3"/><circle cx="19" cy="5" r="3"/>
    <path d="M4.1 7.5h1.8v1.6l5.2 3.2V17h1.8v-4.7l5.2-3.2V7.5h1.8v2.6L12 15 4.1 10.1z"/>
  </g>
</svg>`
});

/** Something to say. */
export const commentIcon = new LabIcon({
  name: 'investigation-workspace:comment',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3" fill="#616161" d="M4 3h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2h-8l-5 4.5V17H4a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2z"/>
</svg>`
});

/** What was before: a clock that goes back. */
export const historyIcon = new LabIcon({
  name: 'investigation-workspace:history',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3" fill="#616161" d="M13 3a9 9 0 0 0-9 9H1l4 4 4-4H6a7 7 0 1 1 2.05 4.95l-1.42 1.42A9 9 0 1 0 13 3zm-1 5v5l4.3 2.5.7-1.2-3.5-2.1V8z"/>
</svg>`
});

/** What is in the store. */
export const dataIcon = new LabIcon({
  name: 'investigation-workspace:data',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3" fill="#616161" d="M12 2C7 2 3.5 3.6 3.5 6v12c0 2.4 3.5 4 8.5 4s8.5-1.6 8.5-4V6c0-2.4-3.5-4-8.5-4zm0 1.8c4.2 0 6.7 1.3 6.7 2.2s-2.5 2.2-6.7 2.2S5.3 6.900 5.3 6 7.800 3.800 12 3.800zm6.7 14.2c0 .9-2.5 2.2-6.7 2.2S5.3 18.900 5.3 18v-3.2c1.500 1 3.900 1.600 6.7 1.600s5.2-.6 6.7-1.600zm0-6c0 .9-2.5 2.2-6.7 2.2S5.3 12.900 5.3 12V8.600c1.500.9 3.900 1.400 6.7 1.400s5.2-.5 6.7-1.400z"/>
</svg>`
});
