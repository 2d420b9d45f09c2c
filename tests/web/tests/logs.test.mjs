// The log of a whole service: all its pods by name, followed over a cut, looked through, and never too much of it.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { api, makeService, servicesPath, until } from '../lib/api.mjs';
import { assertAccessible, choose, enter, launch, picture, visit } from '../lib/browser.mjs';
import { freshName, place } from '../lib/settings.mjs';

/** @typedef {{ cluster: string, name: string, ip: string }} Pod */
/** @typedef {{ type: string, cursor?: string, lines?: { cluster: string, pod: string, at: string, text: string }[] }} Frame */

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const STREAM = /\/services\/[^/]+\/log\/stream/;
const PORT = 18_080;

/** A service with a pod on each cluster, each of which writes a line per request. @param {string} name */
async function make(name) {
  await makeService(name, { replicas: 2, spec: { ports: [{ name: 'http', port: PORT, protocol: 'TCP' }] } });
  const { items } = await until(
    `${name} runs on both clusters`,
    () => api('GET', `${servicesPath(place, name)}/pods`),
    ({ items }) => items.length === 2 && items.every((/** @type {any} */ { ready, ip }) => ready && ip),
  );
  return /** @type {Pod[]} */ (items);
}

/** Makes a pod write a line. @param {Pod} pod @param {string} path */
async function ask({ ip }, path) {
  const response = await fetch(`http://${ip}:${PORT}/${path}`);
  assert.equal(response.status, 200);
}

test('lines of all pods come in one log, each by name, once, over a cut', { timeout: 180_000 }, async () => {
  const name = freshName('logs');
  const pods = await make(name);
  const [first, second] = pods;
  assert.ok(first && second && first.cluster !== second.cluster, JSON.stringify(pods));
  for (const pod of pods) await ask(pod, `early-${pod.cluster}`);

  const visited = await visit(browser);
  const { page, t } = visited;
  /** @type {{ url: string, frames: Frame[], cut: () => Promise<void> }[]} */
  const connections = [];
  await page.routeWebSocket(STREAM, (socket) => {
    const server = socket.connectToServer();
    /** @type {Frame[]} */
    const frames = [];
    let open = true;
    server.onMessage((message) => {
      if (!open) return;
      frames.push(JSON.parse(String(message)));
      socket.send(message);
    });
    connections.push({
      url: socket.url(),
      frames,
      cut: async () => {
        open = false;
        await socket.close();
        await server.close();
      },
    });
  });
  await enter(visited, `${servicesPath(place, name)}/logs`);
  const log = page.getByRole('log');
  const row = (/** @type {string} */ text) => log.locator('[data-index]').filter({ hasText: text });
  const legend = page.getByRole('list', { name: t('log.pods') });
  for (const { cluster } of pods) {
    await row(`GET /early-${cluster} `).getByText(`${cluster}/`).waitFor();
    await legend.getByRole('button', { name: new RegExp(`^${cluster}/`) }).waitFor();
  }
  await page.getByText(t('log.state_following')).waitFor();
  await ask(first, 'followed');
  await row('GET /followed ').getByText(`${first.cluster}/`).waitFor();
  await assertAccessible(page, 'the log of a service');
  await picture(page, 'service-log');

  // One pod's lines are put aside and taken back, by keyboard.
  const toggle = legend.getByRole('button', { name: new RegExp(`^${first.cluster}/`) });
  await toggle.press('Enter');
  await row('GET /followed ').waitFor({ state: 'detached' });
  assert.equal(await toggle.getAttribute('aria-pressed'), 'false');
  await row(`GET /early-${second.cluster} `).waitFor();
  await assertAccessible(page, 'a log with a pod put aside');
  await toggle.press('Enter');
  await row('GET /followed ').waitFor();

  // What is looked for is marked; nothing else need be shown.
  await page.getByRole('searchbox', { name: t('log.search') }).fill('EARLY-');
  await until(
    'two marks',
    () => log.locator('mark').count(),
    (count) => count === 2,
  );
  await page.getByRole('checkbox', { name: t('log.only_matches') }).check();
  await until(
    'only the matches',
    () => log.locator('[data-index]').count(),
    (count) => count === 2,
  );
  await page.getByRole('searchbox', { name: t('log.search') }).fill('');
  await row('GET /followed ').waitFor();

  // The connection is cut, and a line is written before the next one.
  const [whole] = connections;
  assert.ok(whole);
  await whole.cut();
  await ask(second, 'meanwhile');
  await row('GET /meanwhile ').waitFor({ timeout: 30_000 });
  await ask(first, 'afterwards');
  await row('GET /afterwards ').waitFor();
  const next = connections[1];
  assert.ok(next, 'it connected again');
  const cursors = whole.frames.flatMap(({ cursor }) => cursor ?? []);
  assert.equal(new URL(next.url).searchParams.get('cursor'), cursors.at(-1));
  const lines = connections.flatMap(({ frames }) => frames.flatMap((frame) => frame.lines ?? []));
  const distinct = new Set(lines.map((line) => JSON.stringify(line)));
  assert.equal(lines.length, distinct.size, 'nothing was sent twice');
  for (const path of ['followed', 'meanwhile', 'afterwards']) {
    assert.equal(await row(`GET /${path} `).count(), 1, path);
  }

  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: t('log.download') }).click(),
  ]);
  assert.equal(file.suggestedFilename(), `${name}.log`);
  const text = await readFile(await file.path(), 'utf8');
  for (const pod of pods) {
    assert.match(text, new RegExp(`${pod.cluster}/${pod.name}/\\S+ GET /early-${pod.cluster} `));
  }

  // One of them alone, and all again.
  const pod = t('log.pod');
  await choose(page, pod, `${first.cluster}/${first.name}`);
  await legend.waitFor({ state: 'detached' });
  await row(`GET /early-${second.cluster} `).waitFor({ state: 'detached' });
  await row('GET /followed ').waitFor();
  assert.equal(new URL(page.url()).searchParams.get('log_pod'), first.name);
  await choose(page, pod, t('log.pods_on', { cluster: second.cluster }));
  await row(`GET /early-${second.cluster} `).waitFor();
  await row('GET /followed ').waitFor({ state: 'detached' });
  await choose(page, pod, t('log.all_pods'));
  await row('GET /followed ').waitFor();
  await visited.end();
  await api('DELETE', servicesPath(place, name));
});

test('runs before, a pod that is gone, and no pods at all are said', { timeout: 240_000 }, async () => {
  const importer = '/projects/demo/environments/test/services/importer';
  await until(
    'the crashing service of the demo has been started again',
    () => api('GET', `${importer}/pods`),
    ({ items }) => items.some((/** @type {{ restarts: number }} */ { restarts }) => restarts > 0),
    90,
  );
  for (const [language, width, theme] of /** @type {const} */ ([
    ['en', 1_280, 'dark'],
    ['zh', 390, 'light'],
  ])) {
    const visited = await visit(browser, { language, width, theme });
    const { page, t } = visited;
    await enter(visited, `${importer}/logs?cluster=nowhere&log_pod=gone-1`);
    await page.getByText(t('log.pod_gone', { pod: 'gone-1' })).waitFor();
    // By keyboard: the pointer would bring up the hint, which is outside of the page's parts.
    await page.getByRole('checkbox', { name: t('log.previous') }).press('Space');
    await page.getByText(t('log.state_read')).waitFor();
    const log = page.getByRole('log');
    await log.locator('[data-colour]').first().waitFor();
    await assertAccessible(page, `the runs before in ${language}, ${width} px, ${theme}`);
    await picture(page, `service-log-previous-${language}`);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(overflow <= 0, `the page is ${overflow} px wider than the window`);
    await visited.end();
  }

  const name = freshName('nobody');
  await makeService(name, { replicas: 0 });
  const visited = await visit(browser);
  const { page, t } = visited;
  await enter(visited, `${servicesPath(place, name)}/logs`);
  await page.getByText(t('log.no_pod_text')).waitFor();
  await visited.end();
  await api('DELETE', servicesPath(place, name));
});

test('a log of any length is a page of the same size', { timeout: 240_000 }, async () => {
  const SENT = 30_000;
  const KEPT = 20_000;
  const visited = await visit(browser);
  const { page, t } = visited;
  await page.routeWebSocket(STREAM, (socket) => {
    for (let from = 0; from < SENT; from += 1_000) {
      const lines = Array.from({ length: 1_000 }, (_, index) => ({
        cluster: 'east',
        pod: `web-${(from + index) % 60}`,
        container: 'app',
        at: '2026-03-10T12:00:00.000000001Z',
        text: `line ${from + index} of a long log`,
      }));
      socket.send(JSON.stringify({ type: 'lines', lines, cursor: String(from) }));
    }
    socket.send(JSON.stringify({ type: 'left_out', pods: [{ cluster: 'east', pod: 'web-60' }] }));
  });
  await enter(visited, `${servicesPath(place, 'web')}/logs`);
  await page.getByText(t('log.count_other', { count: KEPT })).waitFor();
  await page.getByText(t('log.dropped', { count: SENT - KEPT })).waitFor();
  await page.getByText(t('log.left_out_one', { count: 1 })).waitFor();
  const log = page.getByRole('log');
  await log.getByText(`line ${SENT - 1} of a long log`, { exact: true }).waitFor();
  const rows = () => log.locator('[data-index]').count();
  assert.ok((await rows()) < 120, `${await rows()} lines are in the page`);
  const elements = await page.evaluate(() => document.querySelectorAll('*').length);
  assert.ok(elements < 2_500, `${elements} elements are in the page`);

  await log.press('Home');
  await log.getByText(`line ${SENT - KEPT} of a long log`, { exact: true }).waitFor();
  assert.ok((await rows()) < 120, `${await rows()} lines are in the page`);
  await page.getByRole('searchbox', { name: t('log.search') }).fill('line 15000 ');
  await page.getByRole('button', { name: t('log.match_after') }).click();
  await log.locator('[data-current="true"]').getByText('line 15000').waitFor();
  await visited.end();
});
