// A cluster that stops answering: what was known of it is grey and old, never green, and nothing else suffers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, servicesPath, until } from '../../lib/api.mjs';
import { assertAccessible, enter, launch, picture, visit } from '../../lib/browser.mjs';
import { demo, place } from '../../lib/settings.mjs';
import { containing } from '../../lib/words.mjs';

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
  { timeout: 300_000 },
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

    // What nobody saw meanwhile is in no sum: it is named, and hatched in the chart.
    await until(
      'the time without an answer to be told',
      () => api('GET', '/usage?project=demo&every=total'),
      ({ items }) => items[0]?.gap_hours > 0,
    );
    await page.goto('/projects/demo/usage?range=24h');
    await page.getByRole('status').getByText(/%/).waitFor();
    const chart = page.getByRole('img', { name: containing(t('usage.chart_cpu')) });
    await chart.locator('xpath=ancestor::figure').getByText(t('usage.gap'), { exact: true }).waitFor();
    const hatched = chart.locator('rect[fill^="url("]').last();
    assert.match((await hatched.locator('title').textContent()) ?? '', /%/);
    const isSeen = await hatched.evaluate((rect) => {
      rect.scrollIntoView({ block: 'center' });
      const { left, top, width, height } = rect.getBoundingClientRect();
      const shown = document.elementFromPoint(left + width / 2, top + height / 2);
      return { width, height, shown: shown === rect };
    });
    assert.ok(isSeen.shown && isSeen.width > 4 && isSeen.height > 4, JSON.stringify(isSeen));
    for (const theme of /** @type {const} */ (['light', 'dark'])) {
      await page.emulateMedia({ colorScheme: theme });
      await assertAccessible(page, `usage with a gap, ${theme}`);
      await picture(page, `usage-gap-${theme}`);
    }
    await visited.end();
  },
);
