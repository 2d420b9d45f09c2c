// What is reached from every page: the search over everything, and what is under way.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, makeService, servicesPath, until } from '../lib/api.mjs';
import { assertAccessible, enter, launch, picture, visit } from '../lib/browser.mjs';
import { demo, freshName, place } from '../lib/settings.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test(
  'everything is found by keyboard, and what was gone to is remembered',
  { timeout: 120_000 },
  async () => {
    for (const language of /** @type {const} */ (['en', 'zh'])) {
      const visited = await visit(browser, { language, width: language === 'zh' ? 390 : 1_280 });
      const { page, t } = visited;
      await enter(visited);
      await page.getByRole('button', { name: t('search.title') }).waitFor();
      await page.keyboard.press('Control+k');
      const field = page.getByRole('combobox', { name: t('search.title') });
      await field.waitFor();
      const options = page.getByRole('option');
      await page.getByText(t('search.keys')).waitFor();

      await page.keyboard.type('web');
      await options
        .filter({ hasText: `${place.project}/${place.environment}` })
        .first()
        .waitFor();
      await page.getByRole('listbox').getByText(t('search.group.containers'), { exact: true }).waitFor();
      await assertAccessible(page, 'the search');
      await picture(page, `search-${language}`);
      assert.equal(await options.first().getAttribute('aria-selected'), 'true');
      await page.keyboard.press('ArrowDown');
      assert.equal(await options.nth(1).getAttribute('aria-selected'), 'true');
      await page.keyboard.press('ArrowUp');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: 'web' }).waitFor();

      const cluster = demo.clusters[0]?.name ?? '';
      await page.getByRole('button', { name: t('search.title') }).click();
      await options.filter({ hasText: 'web' }).waitFor();
      await field.fill(cluster);
      await page.getByRole('listbox').getByText(t('search.group.clusters'), { exact: true }).waitFor();
      await field.fill(t('menu.projects'));
      await options.filter({ hasText: t('menu.projects') }).click();
      await page.getByRole('heading', { level: 1, name: t('menu.projects') }).waitFor();
      await visited.end();
    }
  },
);

test('a pod is found by its address, and what does not answer is named', { timeout: 180_000 }, async () => {
  const { items } = await api('GET', `${servicesPath(place, 'web')}/pods?limit=1`);
  const [pod] = items;
  assert.ok(pod?.ip, 'the pod has an address');
  const visited = await visit(browser);
  const { page, t } = visited;
  await enter(visited);
  visited.expect(/\/api\/v1\/clusters/);
  await page.route('**/api/v1/clusters?*q=*', (route) => route.fulfill({ status: 500, body: '{}' }));
  await page.getByRole('button', { name: t('search.title') }).click();
  const field = page.getByRole('combobox', { name: t('search.title') });
  await field.fill(pod.ip);
  await page.getByText(t('search.silent', { kinds: t('search.group.clusters') })).waitFor();
  await page.getByRole('option').filter({ hasText: pod.name }).click();
  await page.getByRole('dialog').getByText(pod.name).first().waitFor();
  await visited.end();
});

test('what is under way shows its steps, and then that it ended', { timeout: 240_000 }, async () => {
  const name = freshName('drawer');
  const visited = await visit(browser);
  const { page, t } = visited;
  await enter(visited);
  const counts = ['count_zero', 'count_one', 'count_other'].map((form) =>
    t(`operations.${form}`, { count: '\\d+' }),
  );
  await page.getByRole('button', { name: new RegExp(`^(${counts.join('|')})$`) }).click();
  const running = page.getByRole('region', { name: t('operations.under_way') });
  const ended = page.getByRole('region', { name: t('operations.last_hour') });
  await ended.waitFor();
  await makeService(name, { replicas: 2, spec: { image: 'registry.example/tests/slow-start:1' } });
  await running.getByRole('link', { name: new RegExp(name) }).waitFor({ timeout: 15_000 });
  await running.getByRole('progressbar').first().waitFor();
  await picture(page, 'operations-drawer');
  await ended.getByRole('link', { name: new RegExp(name) }).waitFor({ timeout: 60_000 });
  await assertAccessible(page, 'what is under way');
  await ended.getByRole('link', { name: new RegExp(name) }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
  // Whoever still looks at the service would be told that it is gone.
  await visited.end();
  await api('DELETE', servicesPath(place, name));
  await until(
    'it is gone',
    () => api('GET', `/services?q=${name}`),
    ({ items }) => items.length === 0,
  );
});
