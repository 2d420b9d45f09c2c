// The platform's API with the demo's token: for what a test needs beside the browser.
import { demo } from './settings.mjs';

/**
 * @param {string} method @param {string} path
 * @param {{ body?: unknown, version?: number }} [options]
 * @returns {Promise<any>}
 */
export async function api(method, path, { body, version } = {}) {
  const response = await fetch(`${demo.portal_url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${demo.admin_token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(version === undefined ? {} : { 'if-match': `"${version}"` }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

/**
 * Asks until the answer is as wanted.
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} ask
 * @param {(answer: T) => boolean} wanted
 */
export async function until(what, ask, wanted, seconds = 60) {
  const end = Date.now() + seconds * 1_000;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s; last ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** @param {{ project: string, environment: string }} place @param {string} [name] */
export function servicesPath({ project, environment }, name) {
  const path = `/projects/${project}/environments/${environment}/services`;
  return name ? `${path}/${name}` : path;
}
