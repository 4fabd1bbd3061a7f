import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';
import { isLoggedOut } from './api';

/**
 * Lets kernels outlast an expired login.
 *
 * JupyterLab's connection to a kernel that was lost asks what became of it, and takes every answer
 * but a network's failure for the kernel's death: it says so in a dialog, and never asks again. A
 * network's failure it waits out, which is right here: after the next login the kernel is there.
 */
export function outlastLogins(settings: ServerConnection.ISettings): void {
  const kernels = new URL(URLExt.join(settings.baseUrl, 'api/kernels/')).href;
  const { fetch } = settings;
  const careful: typeof fetch = async (...request) => {
    const response = await fetch(...request);
    if (response.url.startsWith(kernels) && (await isLoggedOut(response))) {
      throw new TypeError('The login has expired.');
    }
    return response;
  };
  Object.assign(settings, { fetch: careful });
}
