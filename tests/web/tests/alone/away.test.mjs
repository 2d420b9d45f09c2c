// A cluster that stops answering: what was known of it is grey and old, never green, and nothing else suffers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, servicesPath, until } from '../../lib/api.mjs';
import { enter, launch, picture, visit } from '../../lib/browser.mjs';
import { demo, place } from '../../lib/settings.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const [first] = demo.clusters;
assert.ok(first, 'the demo has clusters');

/** The simulated clusters' switch, on the port after the demo's services. @param {'down' | 'up'} state */
async function turn(state) {
  const portal = new URL(demo.portal_url);
  const url = `http://${portal.hostname}:${Number(portal.port) + 9}/clusters/${first.name}/${state}`;
  const response = await fetch(url, { method: 'POST' });
  assert.equal(response.status, 200, url);
}

test(
  'what can not be seen is unknown and says its age, until it is seen again',
  { timeout: 240_000 },
  async () => {
    const visited = await visit(browser);
    const { page, t } = visited;
    const web = servicesPath(place, 'web');
    await enter(visited, web);
    const badge = page.locator('h1 + [data-state]');
    await page.locator(`h1 + [data-state="${t('state.service.running')}"]`).waitFor();
    await turn('down');
    try {
      await page.locator(`h1 + [data-state="${t('state.service.unknown')}"]`).waitFor({ timeout: 90_000 });
      await badge.locator('time').waitFor();
      const pods = page.getByRole('region', { name: t('menu.containers') });
      const gone = pods.getByRole('row').filter({ hasText: first.name });
      await gone.locator('[data-tone="unknown"]').first().waitFor();
      assert.equal(await gone.locator('[data-tone="running"]').count(), 0, 'nothing there is green');
      await pods.getByText(t('stale.as_of')).first().waitFor();
      await picture(page, 'cluster-away-service');
      await page.getByRole('link', { name: t('menu.overview'), exact: true }).click();
      await page.getByRole('heading', { level: 1, name: first.name }).waitFor();
      await picture(page, 'cluster-away-overview');
      await page.getByRole('link', { name: t('menu.containers'), exact: true }).click();
      await page.getByRole('status').getByText(first.name).waitFor();
    } finally {
      await turn('up');
    }
    await page.goto(web);
    await page.locator(`h1 + [data-state="${t('state.service.running')}"]`).waitFor({ timeout: 90_000 });
    await until(
      'the cluster is ready again',
      () => api('GET', `/clusters/${first.name}`),
      ({ state }) => state === 'ready',
      90,
    );
    await visited.end();
  },
);
