// A cluster's own API, as somebody beside the platform uses it.
import { request } from 'node:https';

/** @param {string} kubeconfig @param {string} name what stands there in base64 */
function decoded(kubeconfig, name) {
  const found = new RegExp(`${name}: (\\S+)`).exec(kubeconfig)?.[1];
  if (!found) throw new Error(`the kubeconfig has no ${name}`);
  return Buffer.from(found, 'base64');
}

/**
 * Changes an object by a strategic merge patch.
 * @param {string} kubeconfig @param {string} path @param {unknown} change
 * @returns {Promise<void>}
 */
export function patch(kubeconfig, path, change) {
  const server = /server: (\S+)/.exec(kubeconfig)?.[1];
  const body = JSON.stringify(change);
  return new Promise((resolve, reject) => {
    const sent = request(
      `${server}${path}`,
      {
        method: 'PATCH',
        ca: decoded(kubeconfig, 'certificate-authority-data'),
        cert: decoded(kubeconfig, 'client-certificate-data'),
        key: decoded(kubeconfig, 'client-key-data'),
        headers: {
          'content-type': 'application/strategic-merge-patch+json',
          'content-length': Buffer.byteLength(body),
        },
        timeout: 10_000,
      },
      async (response) => {
        const text = (await response.setEncoding('utf8').toArray()).join('');
        if (response.statusCode === 200) resolve();
        else reject(new Error(`PATCH ${path} answered ${response.statusCode}: ${text}`));
      },
    );
    sent.on('error', reject);
    sent.on('timeout', () => sent.destroy(new Error(`PATCH ${path}: no answer within 10 s`)));
    sent.end(body);
  });
}
