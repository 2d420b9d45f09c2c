// Pages follow what happens, and say when they can't.
import { after, before, test } from 'node:test';
import { api, makeService, servicesPath, until } from '../lib/api.mjs';
import { enter, launch, visit } from '../lib/browser.mjs';
import { demo, freshName, place } from '../lib/settings.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test('a list shows what somebody else did, without a reload', { timeout: 240_000 }, async () => {
  const visited = await visit(browser);
  const { page, t } = visited;
  const name = freshName('live');
  await enter(visited, `/services?q=${name}`);
  await page.getByText(t('filter.none_title')).waitFor();
  await makeService(name);
  // Less than the 30 s after which every page reads again by itself: the event stream told.
  await page.getByRole('link', { name, exact: true }).waitFor({ timeout: 8_000 });
  await page.locator(`[data-state="${t('state.service.running')}"]`).waitFor({ timeout: 30_000 });
  await api('DELETE', servicesPath(place, name));
  await page.getByText(t('filter.none_title')).waitFor({ timeout: 30_000 });
  await visited.end();
});

test(
  'what changes between the first reading and the following is not missed',
  { timeout: 120_000 },
  async () => {
    const visited = await visit(browser);
    const { page, t } = visited;
    const name = freshName('between');
    /** @type {import('playwright-core').Route[]} */
    const held = [];
    await page.route('**/api/v1/stream*', (route) => void held.push(route));
    await enter(visited, `/services?q=${name}`);
    await page.getByText(t('filter.none_title')).waitFor();
    await makeService(name);
    await Promise.all(held.map((route) => route.continue()));
    await page.getByRole('link', { name, exact: true }).waitFor({ timeout: 8_000 });
    await visited.end();
    await api('DELETE', servicesPath(place, name));
  },
);

test('a page says that it is not live, and is again by itself', { timeout: 180_000 }, async () => {
  const visited = await visit(browser);
  const { page, t } = visited;
  visited.expect(/\/api\/v1\/stream/);
  await page.route('**/api/v1/stream*', (route) => route.abort('connectionrefused'));
  await enter(visited);
  const notice = page.getByText(new RegExp(t('live.down', { age: '.+' }).replace(/[()]/g, '\\$&')));
  await notice.waitFor({ timeout: 30_000 });
  await page.unroute('**/api/v1/stream*');
  await notice.waitFor({ state: 'detached', timeout: 40_000 });
  await visited.end();
});

test(
  'the server away: what is known stays, with what went wrong beside it',
  { timeout: 60_000 },
  async () => {
    const visited = await visit(browser);
    const { page, t } = visited;
    await enter(visited, '/services');
    await page.getByRole('link', { name: 'web', exact: true }).first().waitFor();
    visited.expect(/\/api\/v1\//);
    await page.route('**/api/v1/services?*', (route) => route.abort('connectionrefused'));
    await page.getByPlaceholder(t('service.search')).fill('we');
    await page.getByRole('alert').getByText(t('error.code.network')).waitFor({ timeout: 20_000 });
    // The button asks again while the server is still away: once it is back, what others change heals the page as well.
    const asked = page.waitForRequest(/\/api\/v1\/services\?/);
    await page.getByRole('button', { name: t('action.retry') }).click();
    await asked;
    await page.unroute('**/api/v1/services?*');
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await until(
      'the filter is in the URL',
      async () => page.url(),
      (url) => url.includes('q=we'),
    );
    await visited.end();
  },
);

test('a browser that takes itself for offline asks all the same', { timeout: 120_000 }, async () => {
  const visited = await visit(browser);
  const { page, t } = visited;
  await enter(visited, '/services');
  await page.getByRole('link', { name: 'web', exact: true }).first().waitFor();
  // Browsers say so where there is no way to the internet, which a portal within reach does not need.
  await page.evaluate(() => window.dispatchEvent(new Event('offline')));
  await page.getByRole('link', { name: t('menu.clusters'), exact: true }).click();
  const [cluster] = demo.clusters;
  await page.getByRole('link', { name: cluster?.name ?? '', exact: true }).waitFor();
  await visited.end();
});
