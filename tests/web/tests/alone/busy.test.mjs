// A cluster that refuses what is asked too often (429): it is there, and busy; it is not taken for one that is lost.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, until } from '../../lib/api.mjs';
import { assertAccessible, enter, launch, picture, visit } from '../../lib/browser.mjs';
import { demo } from '../../lib/settings.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const [, second] = demo.clusters;
assert.ok(second, 'the demo has two clusters');
const faults = `${demo.simulation_url}/clusters/${second.name}/faults`;
const cluster = () => api('GET', `/clusters/${second.name}`);

test('a cluster that throttles is shown as busy, not as away', { timeout: 240_000 }, async () => {
  const visited = await visit(browser);
  const { page, t } = visited;
  await enter(visited, '/clusters');
  const row = page.getByRole('row').filter({ hasText: second.name });
  const word = (/** @type {string} */ key) => row.getByText(t(key), { exact: true });
  await word('state.cluster.ready').waitFor();
  assert.equal(await word('cluster.busy').count(), 0);
  const put = await fetch(faults, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'too_many_requests', retry_after_seconds: 2, for_seconds: 120 }),
  });
  assert.equal(put.status, 201);
  try {
    await word('cluster.busy').waitFor({ timeout: 60_000 });
    await row.getByText(/429/).waitFor();
    await word('state.cluster.ready').waitFor();
    await assertAccessible(page, 'the list of clusters with a busy one');
    await picture(page, 'cluster-busy');
    assert.equal((await cluster()).status.state, 'ready');
    await page.getByRole('link', { name: t('menu.overview'), exact: true }).click();
    const tile = page.getByRole('article').filter({ hasText: second.name });
    await tile.getByText(t('cluster.busy'), { exact: true }).waitFor();
    await picture(page, 'cluster-busy-overview');
  } finally {
    await fetch(faults, { method: 'DELETE' });
  }
  await until('the cluster is left alone', cluster, ({ status }) => status.reason === '', 90);
  await page.getByRole('link', { name: t('menu.clusters'), exact: true }).click();
  await word('cluster.busy').waitFor({ state: 'detached' });
  const { items } = await api('GET', `/clusters/${second.name}/history?limit=1`);
  assert.equal(items[0]?.state, 'ready', 'it never was anything else');
  await visited.end();
});
