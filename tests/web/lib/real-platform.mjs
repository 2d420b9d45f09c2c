// real-platform.mjs PORTAL_URL DATA_DIR KUBECONFIG…: makes a started platform look like the demo, with the given
// clusters and the test images they have, and prints its demo.json.
import { readFileSync } from 'node:fs';

const [portal, directory, ...kubeconfigs] = process.argv.slice(2);
if (!portal || !directory || kubeconfigs.length < 2)
  throw new Error('PORTAL_URL DATA_DIR KUBECONFIG KUBECONFIG…');
const REGIONS = ['east', 'west', 'north', 'south'];

/** @param {() => unknown} ask */
async function patiently(ask, seconds = 60) {
  const end = Date.now() + seconds * 1_000;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/** @param {string} method @param {string} path @param {unknown} body @param {Record<string, string>} headers */
async function call(method, path, body, headers) {
  const response = await fetch(`${portal}/api/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return { answer: text === '' ? undefined : JSON.parse(text), cookie: response.headers.get('set-cookie') };
}

const password = /** @type {string} */ (
  await patiently(() => readFileSync(`${directory}/admin-password`, 'utf8').trim())
);
const { answer: session, cookie } = /** @type {any} */ (
  await patiently(() => call('POST', '/session', { username: 'admin', password }, {}))
);
const { answer: token } = await call(
  'POST',
  '/api-tokens',
  { name: 'browser tests' },
  { cookie: (cookie ?? '').split(';')[0], 'x-csrf-token': session.csrf_token },
);
const bearer = { authorization: `Bearer ${token.secret}` };
const clusters = [];
for (const [index, kubeconfig] of kubeconfigs.entries()) {
  const region = REGIONS[index] ?? 'east';
  const name = `${region}-real`;
  const body = { name, region, kubeconfig: readFileSync(kubeconfig, 'utf8') };
  await patiently(() => call('POST', '/clusters', body, bearer));
  clusters.push({ name, region, kubeconfig });
}
await call('POST', '/projects', { name: 'demo', display_name: 'Demo' }, bearer);
await call('POST', '/projects/demo/environments', { name: 'production' }, bearer);
await patiently(async () => {
  const { answer } = await call('GET', '/clusters', undefined, bearer);
  if (!answer.items.every((/** @type {any} */ { state }) => state === 'ready'))
    throw new Error(JSON.stringify(answer));
});
process.stdout.write(
  JSON.stringify({
    portal_url: portal,
    admin_user: 'admin',
    admin_password: password,
    admin_token: token.secret,
    clusters,
    images: {
      first: 'longshore.test/web:1',
      second: 'longshore.test/web:2',
      missing: 'missing.example/web:3',
    },
  }),
);
