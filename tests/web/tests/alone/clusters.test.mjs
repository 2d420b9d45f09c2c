// Clusters: a kubeconfig is tried before it is taken, and a refusal says why.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { api, servicesPath, until } from '../../lib/api.mjs';
import { enter, launch, picture, visit } from '../../lib/browser.mjs';
import { demo, freshName, images, place, spareKubeconfig } from '../../lib/settings.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const [first] = demo.clusters;
assert.ok(first, 'the demo has clusters');

/** @param {(visited: import('../../lib/browser.mjs').Visit) => Promise<void>} body */
async function onRegisterPage(body) {
  const visited = await visit(browser);
  await enter(visited, '/clusters/new');
  await body(visited);
  await visited.end();
}

/** @param {import('../../lib/browser.mjs').Visit} visited @param {string} kubeconfig */
async function check({ page, t }, kubeconfig) {
  await page.getByLabel('Kubeconfig', { exact: true }).fill(kubeconfig);
  await page.getByRole('button', { name: t('cluster.check'), exact: true }).click();
}

test('a text that is no kubeconfig is refused', () =>
  onRegisterPage(async (visited) => {
    visited.expect(/(400|422).*\/clusters\/check/);
    await check(visited, 'this is: not a kubeconfig');
    const alert = visited.page.getByRole('alert');
    await alert.getByText('kubeconfig_invalid').waitFor();
    await picture(visited.page, 'cluster-refused');
    assert.equal(
      await visited.page.getByRole('button', { name: visited.t('cluster.register') }).isDisabled(),
      true,
      'nothing is registered unchecked',
    );
  }));

test('a kubeconfig that leads nowhere is refused', () =>
  onRegisterPage(async (visited) => {
    visited.expect(/(4\d\d|503).*\/clusters\/check/);
    await check(visited, first.kubeconfig.replace(/server: .*/, 'server: https://127.0.0.1:1'));
    await visited.page.getByRole('alert').getByText('cluster_unreachable').waitFor();
  }));

test('a cluster that is registered already is refused', () =>
  onRegisterPage(async (visited) => {
    visited.expect(/409.*\/clusters\/check/);
    await check(visited, first.kubeconfig);
    await visited.page.getByRole('alert').getByText('cluster_registered_twice').waitFor();
  }));

test(
  'a good one is checked, registered, seen with its nodes, and removed',
  { timeout: 120_000 },
  async () => {
    assert.ok(
      spareKubeconfig,
      'LONGSHORE_WEB_TEST_SPARE_KUBECONFIG names the kubeconfig of a cluster to register',
    );
    const kubeconfig = readFileSync(spareKubeconfig, 'utf8');
    const name = freshName('spare');
    await onRegisterPage(async (visited) => {
      const { page, t } = visited;
      await check(visited, kubeconfig);
      await page.getByText(t('cluster.check_good')).waitFor();
      await page
        .getByText(/v1\.\d+\.\d+/)
        .first()
        .waitFor();
      await picture(page, 'cluster-checked');
      await page.getByLabel(t('word.name'), { exact: true }).first().fill(name);
      await page.getByLabel(t('cluster.region'), { exact: true }).fill('nowhere');
      await page.getByRole('button', { name: t('cluster.register') }).click();
      await page.getByRole('heading', { level: 1, name }).waitFor();
      await page.locator(`h1 ~ * [data-state="${t('state.cluster.ready')}"]`).waitFor({ timeout: 60_000 });
      await page.getByRole('row').filter({ hasText: 'node' }).first().waitFor();
      await page.getByRole('button', { name: t('cluster.more_actions') }).click();
      await page.getByRole('menuitem', { name: t('cluster.remove') }).click();
      // The page may ask once more for what is going.
      visited.expect(/404.*\/clusters\/spare-/);
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox').fill(name);
      await dialog.getByRole('button', { name: t('cluster.remove') }).click();
      await page.getByRole('heading', { level: 1, name: t('menu.clusters') }).waitFor();
      await page.getByRole('link', { name, exact: true }).waitFor({ state: 'detached', timeout: 60_000 });
    });
  },
);

test('a cluster is cordoned and opened again', async () => {
  const visited = await visit(browser);
  const { page, t } = visited;
  await enter(visited, `/clusters/${first.name}`);
  await page.getByRole('button', { name: t('cluster.cordon'), exact: true }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: t('cluster.cordon'), exact: true })
    .click();
  await page.getByText(t('cluster.cordoned'), { exact: true }).waitFor();
  assert.equal((await api('GET', `/clusters/${first.name}`)).cordoned, true);
  await page.getByRole('button', { name: t('cluster.uncordon'), exact: true }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: t('cluster.uncordon'), exact: true })
    .click();
  await page.getByText(t('cluster.cordoned'), { exact: true }).waitFor({ state: 'detached' });
  assert.equal((await api('GET', `/clusters/${first.name}`)).cordoned, false);
  await visited.end();
});

test('a cluster is emptied by a plan, and taken back', { timeout: 180_000 }, async () => {
  assert.ok(spareKubeconfig, 'LONGSHORE_WEB_TEST_SPARE_KUBECONFIG names the kubeconfig of a cluster');
  const name = freshName('spare');
  const cluster = () => api('GET', `/clusters/${name}`);
  const service = servicesPath(place, name);
  const spread = async () => {
    const { items } = await api('GET', `${service}/assignments`);
    return items.filter((/** @type {{ replicas: number }} */ { replicas }) => replicas > 0);
  };
  await api('POST', '/clusters', {
    body: { name, region: 'nowhere', kubeconfig: readFileSync(spareKubeconfig, 'utf8') },
  });
  try {
    await until(
      'the spare cluster is ready',
      cluster,
      ({ state, observed }) => state === 'ready' && observed,
    );
    await api('POST', servicesPath(place), {
      body: {
        name,
        replicas: 4,
        // Both hold two; taken back, nothing moves by itself.
        placement: { strategy: { type: 'weights', weights: { [first.name]: 1, [name]: 1 } } },
        spec: { image: images.first },
      },
    });
    await until(
      'it runs',
      () => api('GET', service),
      ({ status }) => status.state === 'running',
    );
    const visited = await visit(browser);
    const { page, t } = visited;
    await enter(visited, `/clusters/${name}`);
    await page.getByRole('button', { name: t('evacuation.order'), exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('row').filter({ hasText: name }).getByText(first.name).waitFor();
    await dialog.getByLabel(t('evacuation.reason')).fill('new racks');
    await picture(page, 'cluster-evacuation-plan');
    await dialog.getByRole('button', { name: t('evacuation.order'), exact: true }).click();
    await page.getByText(t('state.cluster.evacuated'), { exact: true }).first().waitFor({ timeout: 60_000 });
    await page.getByText('new racks').first().waitFor();
    await page.getByText(t('witness.one')).waitFor();
    await page.getByRole('button', { name: t('witness.install'), exact: true }).click();
    await dialog.getByLabel(t('witness.image')).fill('registry.example/longshore:1.0');
    await dialog.getByRole('button', { name: t('witness.issue'), exact: true }).click();
    await dialog.getByText('kind: Deployment').waitFor();
    await picture(page, 'cluster-agent');
    await dialog.getByRole('button', { name: t('witness.close'), exact: true }).click();
    await page.getByText(t('witness.unheard'), { exact: true }).waitFor();
    await picture(page, 'cluster-evacuated');
    const left = await spread();
    assert.deepEqual(
      left.map((/** @type {{ cluster: string, replicas: number }} */ one) => [one.cluster, one.replicas]),
      [[first.name, 4]],
    );
    await page.getByRole('button', { name: t('evacuation.take_back'), exact: true }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: t('evacuation.take_back'), exact: true })
      .click();
    await page.getByRole('button', { name: t('evacuation.order'), exact: true }).waitFor();
    assert.equal((await cluster()).evacuation, null);
    await page.getByRole('button', { name: t('failback.begin'), exact: true }).click();
    await dialog.getByRole('row').filter({ hasText: name }).waitFor();
    await dialog.getByLabel(t('failback.percent')).fill('100');
    await picture(page, 'cluster-failback-plan');
    await dialog.getByRole('button', { name: t('failback.begin'), exact: true }).click();
    await until('some is back', spread, (now) =>
      now.some((/** @type {{ cluster: string }} */ one) => one.cluster === name),
    );
    await page
      .getByRole('region', { name: t('failback.title') })
      .or(page.getByRole('region', { name: t('failback.under_way') }))
      .waitFor({ state: 'detached', timeout: 60_000 });
    await visited.end();
  } finally {
    await api('DELETE', service).catch(() => undefined);
    await api('DELETE', `/clusters/${name}?force=true`);
    await until(
      'the spare cluster is gone',
      () => api('GET', '/clusters'),
      ({ items }) => !items.some((/** @type {{ name: string }} */ one) => one.name === name),
    );
  }
});

test('a service says why it is where it is, and is rebalanced by a plan', { timeout: 180_000 }, async () => {
  const second = demo.clusters[1];
  assert.ok(second, 'the demo has two clusters');
  const name = freshName('level');
  const service = servicesPath(place, name);
  /** @param {boolean} cordoned */
  const cordon = async (cordoned) => {
    const { version } = await api('GET', `/clusters/${second.name}`);
    await api('PATCH', `/clusters/${second.name}`, { version, body: { cordoned } });
  };
  const spread = async () => {
    const { items } = await api('GET', `${service}/assignments`);
    return Object.fromEntries(
      items.map((/** @type {{ cluster: string, replicas: number }} */ one) => [one.cluster, one.replicas]),
    );
  };
  await cordon(true);
  try {
    await api('POST', servicesPath(place), {
      body: {
        name,
        replicas: 4,
        placement: { strategy: { type: 'weights', weights: { [first.name]: 1, [second.name]: 1 } } },
        spec: { image: images.first },
      },
    });
    await until(
      'it runs',
      () => api('GET', service),
      ({ status }) => status.state === 'running',
    );
    assert.deepEqual(await spread(), { [first.name]: 4 });
    const visited = await visit(browser);
    const { page, t } = visited;
    await enter(visited, service);
    await page.getByRole('button', { name: t('placement.why_not_elsewhere') }).click();
    await page.getByText('gets none: the cluster is cordoned').waitFor();
    await picture(page, 'service-why');
    await page.getByRole('button', { name: t('rebalance.action'), exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(t('rebalance.balanced')).waitFor();
    await dialog.getByRole('button', { name: t('action.cancel') }).click();
    await cordon(false);
    await page.getByRole('button', { name: t('rebalance.action'), exact: true }).click();
    await dialog
      .getByText(t('rebalance.move_other', { from: first.name, to: second.name, count: 2 }))
      .waitFor();
    await dialog.getByLabel(t('rebalance.max_moves')).fill('1');
    await picture(page, 'service-rebalance');
    await dialog.getByRole('button', { name: t('rebalance.action'), exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    await until('one has moved', spread, (now) => now[first.name] === 3 && now[second.name] === 1);
    await visited.end();
  } finally {
    await cordon(false);
    await api('DELETE', service).catch(() => undefined);
  }
});

test('a cluster is given a taint, and it is taken away again', async () => {
  const visited = await visit(browser);
  const { page, t } = visited;
  await enter(visited, `/clusters/${first.name}`);
  const edit = async () => {
    await page.getByRole('button', { name: t('action.edit'), exact: true }).click();
    return page.getByRole('dialog');
  };
  let dialog = await edit();
  await dialog.getByRole('button', { name: t('cluster.add_taint') }).click();
  await dialog.getByLabel(t('cluster.taint_key')).fill('dedicated');
  await dialog.getByLabel(t('word.value')).last().fill('batch');
  await dialog.getByRole('button', { name: t('action.save'), exact: true }).click();
  await page.getByText('dedicated=batch').waitFor();
  const { taints } = await api('GET', `/clusters/${first.name}`);
  assert.deepEqual(taints, [{ key: 'dedicated', value: 'batch', effect: 'no_placement' }]);
  await dialog.waitFor({ state: 'detached' });
  dialog = await edit();
  await dialog
    .getByRole('button', { name: t('form.remove_row', { noun: t('cluster.taint'), number: 1 }) })
    .click();
  await dialog.getByRole('button', { name: t('action.save'), exact: true }).click();
  await page.getByText('dedicated=batch').waitFor({ state: 'detached' });
  assert.deepEqual((await api('GET', `/clusters/${first.name}`)).taints, []);
  await visited.end();
});
