// Two witnesses of whether a cluster is alive: shown with their age, one silent makes it suspect, all of it in the history.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, until } from '../../lib/api.mjs';
import { enter, launch, picture, visit } from '../../lib/browser.mjs';
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

test('a silent agent makes its cluster suspect, until it is heard again', { timeout: 240_000 }, async () => {
  const visited = await visit(browser);
  const { page, t } = visited;
  await enter(visited, `/clusters/${second.name}`);
  const witnesses = page
    .locator('section')
    .filter({ has: page.getByRole('heading', { name: t('witness.title') }) });
  await witnesses.getByText(t('witness.fresh'), { exact: true }).nth(1).waitFor();
  const history = page.getByRole('region', { name: t('cluster.history') });
  await history.getByText(t('state.cluster.ready'), { exact: true }).first().waitFor();
  const put = await fetch(faults, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'agent_cut', for_seconds: 120 }),
  });
  assert.equal(put.status, 201);
  try {
    await history.getByText(t('state.cluster.suspect'), { exact: true }).waitFor({ timeout: 90_000 });
    await witnesses.getByText(t('witness.silent'), { exact: true }).waitFor();
    await picture(page, 'cluster-suspect');
    assert.equal((await cluster()).status.state, 'suspect');
    await page.getByRole('link', { name: t('menu.overview'), exact: true }).click();
    await page.getByRole('heading', { level: 1, name: second.name }).waitFor();
  } finally {
    await fetch(faults, { method: 'DELETE' });
  }
  await until('the cluster is ready again', cluster, ({ state }) => state === 'ready', 120);
  await page.goto(`/clusters/${second.name}`);
  await history.getByText(t('state.cluster.recovering'), { exact: true }).waitFor();
  await visited.end();
});

test('the agent of a cluster is installed by a manifest that is shown once', async () => {
  const visited = await visit(browser);
  const { page, t } = visited;
  await enter(visited, `/clusters/${second.name}`);
  await page.getByRole('button', { name: t('witness.install_anew'), exact: true }).click();
  const dialog = page.getByRole('dialog');
  // Nothing is issued here: the demo's own agent goes on with its token.
  assert.equal(
    await dialog.getByRole('button', { name: t('witness.issue'), exact: true }).isDisabled(),
    true,
  );
  await dialog.getByLabel(t('witness.image')).fill('a b');
  visited.expect(/422.*\/agent/);
  await dialog.getByRole('button', { name: t('witness.issue'), exact: true }).click();
  await dialog.getByRole('alert').getByText('invalid_spec').waitFor();
  await dialog.getByRole('button', { name: t('action.cancel'), exact: true }).click();
  await visited.end();
});
