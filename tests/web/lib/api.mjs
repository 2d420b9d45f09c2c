// The platform's API with the demo's token: for what a test needs beside the browser.
import { demo, place } from './settings.mjs';

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

/** @type {Promise<{ name: string, value: string }> | undefined} */
let cookie;

/** The cookie of the administrator's session: one session for all who ask in this process. */
export function adminCookie() {
  cookie ??= openSession();
  return cookie;
}

async function openSession() {
  const response = await fetch(`${demo.portal_url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: demo.admin_user, password: demo.admin_password }),
  });
  const [, name, value] = /^([^=]+)=([^;]*)/.exec(response.headers.getSetCookie()[0] ?? '') ?? [];
  if (!name || !value) throw new Error(`signing in answered ${response.status}: ${await response.text()}`);
  return { name, value };
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

/**
 * A small service; what is said of it goes before.
 * @param {string} name @param {{ replicas?: number, spec?: Record<string, unknown> }} [said]
 */
export async function makeService(name, { replicas = 1, spec = {} } = {}) {
  const resources = { cpu_request: '50m', cpu_limit: '50m', memory_request: '32Mi', memory_limit: '32Mi' };
  const whole = { image: 'registry.example/tests/web:1', resources, ...spec };
  await api('POST', servicesPath(place), { body: { name, replicas, spec: whole } });
}

/** The same, and that it runs. @param {string} name @param {Parameters<typeof makeService>[1]} [said] */
export async function runService(name, said) {
  await makeService(name, said);
  await until(
    `${name} runs`,
    () => api('GET', servicesPath(place, name)),
    ({ status, operation }) => status.state === 'running' && !operation,
  );
}

/** @param {{ project: string, environment: string }} place @param {string} [name] */
export function servicesPath({ project, environment }, name) {
  const path = `/projects/${project}/environments/${environment}/services`;
  return name ? `${path}/${name}` : path;
}
