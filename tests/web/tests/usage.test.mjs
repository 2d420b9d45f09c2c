// A project's quota, what its services used, and what that costs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { api, servicesPath, until } from '../lib/api.mjs';
import { assertAccessible, enter, launch, picture, visit } from '../lib/browser.mjs';
import { freshName } from '../lib/settings.mjs';
import { containing } from '../lib/words.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const resources = {
  cpu_request: '500m',
  cpu_limit: '500m',
  memory_request: '64Mi',
  memory_limit: '64Mi',
  gpus: 1,
};
const spec = { image: 'registry.example/tests/web:1', resources };

test('a quota refuses what is beyond it, and usage reads as money', { timeout: 360_000 }, async () => {
  const project = freshName('quota');
  const place = { project, environment: 'test' };
  const name = 'web';
  await api('POST', '/projects', { body: { name: project } });
  await api('POST', `/projects/${project}/environments`, { body: { name: 'test' } });

  // A project in which nothing ran yet.
  const visited = await visit(browser);
  const { page, t } = visited;
  await enter(visited, `/projects/${project}/usage`);
  await page.getByText(t('usage.empty_title')).first().waitFor();
  await assertAccessible(page, 'usage of a project that has none');

  await page.getByRole('link', { name: t('word.environments'), exact: true }).click();
  await page
    .getByText(t('quota.unlimited', { asked: '0' }))
    .first()
    .waitFor();
  await page.getByRole('button', { name: t('quota.edit'), exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(t('quota.field_cpu')).fill('2');
  await dialog.getByLabel(t('quota.field_pods')).fill('4');
  await dialog.getByLabel(t('quota.field_gpus')).fill('4');
  await assertAccessible(page, 'setting a quota');
  await dialog.getByRole('button', { name: containing(t('action.save')) }).click();
  await dialog.waitFor({ state: 'hidden' });
  await page.getByRole('img', { name: `${t('quota.cpu')}: 0%` }).waitFor();

  await api('POST', servicesPath(place), { body: { name, replicas: 3, spec } });
  await page.getByRole('img', { name: `${t('quota.cpu')}: 75%` }).waitFor();
  await page.getByRole('img', { name: `${t('quota.pods')}: 75%` }).waitFor();
  await page.getByRole('img', { name: `${t('quota.gpus')}: 75%` }).waitFor();
  await picture(page, 'project-quota');

  // More than is left is refused with how much that is.
  visited.expect(/answered 422|status of 422/);
  await page.goto(servicesPath(place, name));
  await page.getByRole('button', { name: t('service.scale'), exact: true }).click();
  await dialog.getByRole('spinbutton').first().fill('6');
  await dialog
    .getByRole('button', { name: containing(t('service.scale')) })
    .last()
    .click();
  await dialog.getByText(t('error.code.quota_exceeded')).waitFor();
  await dialog.getByText('500m CPU of 2 CPU are left').waitFor();
  await dialog.getByText('1 GPU of 4 GPUs are left').waitFor();
  await assertAccessible(page, 'a refusal by the quota');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });

  // Only one of the demo's clusters has GPUs: all replicas go there, and the other says why it has none.
  await until(
    'the replicas to be placed',
    () => api('GET', servicesPath(place, `${name}/placement`)),
    ({ clusters }) => {
      const of = (/** @type {string} */ cluster) =>
        clusters.find((/** @type {any} */ each) => each.cluster === cluster);
      return of('east-1')?.replicas === 3 && of('west-1')?.reason.bounds.includes('gpus');
    },
  );
  await page.goto('/clusters/east-1');
  await page.getByRole('img', { name: containing(`${t('word.gpus')}: `) }).waitFor();
  await assertAccessible(page, 'a cluster with GPUs');

  // Prices, so that it reads as money.
  await page.goto('/company/prices');
  await page.getByLabel(t('prices.currency')).fill('CNY');
  await page.getByLabel(t('prices.cpu_core_hour')).fill('1000');
  await page.getByLabel(t('prices.memory_gib_hour')).fill('10');
  await page.getByLabel(t('prices.gpu_hour')).fill('2000');
  await page.getByRole('button', { name: containing(t('action.save')) }).click();
  await page
    .getByText(t('prices.set_by', { name: 'admin' }))
    .first()
    .waitFor();

  const { items } = await api('GET', '/audit?action=put_prices&limit=1');
  const record = await until(
    'the audit to have the prices before and after',
    () => api('GET', `/audit/${items[0].id}`),
    ({ before, after }) => before && after,
  );
  assert.equal(record.after.gpu_hour, 2_000);
  assert.notEqual(record.before.version, record.after.version);
  // One that begins later changes nothing yet.
  const later = new Date(Math.ceil(Date.now() / 3_600_000 + 24) * 3_600_000).toISOString();
  const { version } = await api('GET', '/prices');
  const next = { currency: 'CNY', cpu_core_hour: 9_999, valid_from: later };
  const prices = await api('PUT', '/prices', { body: next, version });
  assert.equal(prices.cpu_core_hour, 1_000);
  await page.reload();
  const history = page.getByRole('group', { name: t('prices.history') });
  await history.getByText(t('prices.upcoming'), { exact: true }).first().waitFor();
  await history.getByText(t('prices.current'), { exact: true }).waitFor();
  await history.getByText('CN¥9,999.00').first().waitFor();
  await picture(page, 'prices-history');
  await assertAccessible(page, 'prices');

  // Counted every five seconds here (`run`), every minute elsewhere.
  await until(
    'usage to be counted',
    () => api('GET', `/usage?project=${project}&every=total&by=service`),
    ({ items }) => items.length === 1 && items[0].gpu_hours > 0 && items[0].cost > 0,
    200,
  );
  await page.goto(`/projects/${project}/usage`);
  const table = page.getByRole('group', { name: t('usage.by_service') });
  await table.getByRole('link', { name, exact: true }).waitFor();
  await table.getByRole('columnheader', { name: t('usage.cost') }).waitFor();
  await page.getByRole('img', { name: containing(t('usage.chart_cpu')) }).waitFor();
  const show = page.getByRole('radiogroup', { name: t('usage.show') });
  await show.getByText(t('usage.show_gpu'), { exact: true }).click();
  await page.getByRole('img', { name: containing(t('usage.chart_gpu')) }).waitFor();
  await table.getByRole('columnheader', { name: t('usage.gpu_requested') }).waitFor();
  await show.getByText(t('usage.show_cost'), { exact: true }).click();
  await page.getByRole('img', { name: containing(`${t('usage.chart_cost')}: CN¥`) }).waitFor();
  await page.getByText(t('usage.range_24h'), { exact: true }).click();
  await page.waitForURL(/range=24h/);
  await page.getByRole('img', { name: containing(`${t('usage.chart_cost')}: CN¥`) }).waitFor();
  await picture(page, 'project-usage-cost');
  await assertAccessible(page, 'usage');

  // On a phone the words of a chart are as large as elsewhere, and none is on another.
  await page.setViewportSize({ width: 390, height: 860 });
  const chart = page.getByRole('img', { name: containing(`${t('usage.chart_cost')}: CN¥`) });
  await until(
    'the chart to be drawn for a phone',
    () => chart.boundingBox(),
    (box) => box !== null && box.width > 200 && box.width < 390,
  );
  const words = await chart.locator('text').evaluateAll((all) =>
    all.map((word) => {
      const { left, right, top, bottom } = word.getBoundingClientRect();
      return { text: word.textContent, left, right, top, bottom };
    }),
  );
  assert.ok(words.length >= 5, JSON.stringify(words));
  for (const one of words) {
    assert.ok(one.bottom - one.top >= 12, `${one.text} is ${one.bottom - one.top} px high`);
    for (const other of words) {
      const apart =
        one.right <= other.left ||
        other.right <= one.left ||
        one.bottom <= other.top ||
        other.bottom <= one.top;
      assert.ok(one === other || apart, `${one.text} is on ${other.text}`);
    }
  }
  await picture(page, 'project-usage-phone');
  await page.setViewportSize({ width: 1_280, height: 860 });

  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: containing(t('usage.export')) }).click();
  const file = await (await download).path();
  const lines = readFileSync(file, 'utf8').trim().split('\r\n');
  assert.match(lines[0] ?? '', /^from,to,project,/);
  assert.ok(
    lines.slice(1).every((line) => line.includes(`,${project},test,${name},`)),
    lines.join('\n'),
  );
  assert.ok(lines.length >= 2);

  await api('DELETE', servicesPath(place, name));
  await until(
    'the service to be gone',
    () => api('GET', `/projects/${project}`),
    ({ services }) => services === 0,
  );
  // What it used is kept.
  const kept = await api('GET', `/usage?project=${project}&every=total`);
  assert.ok(kept.items[0].pod_hours > 0);
  // An open page would ask for it once more.
  await visited.end();
  await api('DELETE', `/projects/${project}`);
});
