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
