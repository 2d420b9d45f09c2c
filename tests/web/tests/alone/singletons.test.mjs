// A service that must never run twice: on a cluster that is away it waits, until somebody accepts the risk in words.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, servicesPath, until } from '../../lib/api.mjs';
import { enter, launch, picture, visit } from '../../lib/browser.mjs';
import { demo, freshName, images, place } from '../../lib/settings.mjs';
import { assertWhole } from '../../lib/whole.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const [first, second] = demo.clusters;
assert.ok(first && second, 'the demo has two clusters');
const REASON = 'its room has no power, the night shift has seen it';

/** The simulated clusters' switch, on the port after the demo's services. @param {'down' | 'up'} state */
async function turn(state) {
  const portal = new URL(demo.portal_url);
  const url = `http://${portal.hostname}:${Number(portal.port) + 9}/clusters/${first.name}/${state}`;
  const response = await fetch(url, { method: 'POST' });
  assert.equal(response.status, 200, url);
}

test('a singleton starts elsewhere only when somebody says why', { timeout: 300_000 }, async () => {
  const name = freshName('single');
  const service = servicesPath(place, name);
  const cluster = () => api('GET', `/clusters/${first.name}`);
  await api('POST', servicesPath(place), {
    body: {
      name,
      placement: { singleton: true, clusters: [first.name] },
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
  await enter(visited, `${service}/edit`);
  const box = page.getByLabel(t('service_form.singleton'), { exact: true });
  await box.waitFor();
  assert.equal(await box.isChecked(), true);
  await turn('down');
  try {
    await until('it is lost', cluster, ({ state }) => state === 'unreachable', 90);
    await page.goto(`/clusters/${first.name}`);
    await page.getByRole('button', { name: t('evacuation.order'), exact: true }).click();
    const dialog = page.getByRole('dialog');
    const row = dialog.getByRole('row').filter({ hasText: name });
    await row.getByText('may still run there').waitFor();
    await dialog.getByText(t('evacuation.fenced_one', { count: 1 })).waitFor();
    await picture(page, 'singleton-plan');
    await dialog.getByRole('button', { name: t('action.cancel'), exact: true }).click();

    const { version } = await api('GET', service);
    await api('PATCH', service, {
      version,
      body: { placement: { singleton: true, clusters: [second.name] } },
    });
    await page.goto(service);
    const notice = page.getByRole('region', { name: t('singleton.title') });
    await notice.getByText(t('singleton.waits', { clusters: first.name })).waitFor();
    await page.locator(`h1 + [data-state="${t('state.service.unknown')}"]`).waitFor();
    await assertWhole(page, 'singleton-waits');
    await picture(page, 'singleton-waits');
    await notice.getByRole('button', { name: t('singleton.accept'), exact: true }).click();
    const accept = dialog.getByRole('button', { name: t('singleton.accept'), exact: true });
    await dialog.getByLabel(t('singleton.reason')).fill('because');
    assert.equal(await accept.isDisabled(), true, 'a word is no reason');
    await dialog.getByLabel(t('singleton.reason')).fill(REASON);
    await assertWhole(page, 'singleton-accept');
    await picture(page, 'singleton-accept');
    await accept.click();
    await page.locator(`h1 + [data-state="${t('state.service.running')}"]`).waitFor({ timeout: 60_000 });
    await notice.getByText(REASON).waitFor();
    await picture(page, 'singleton-accepted');
    const { items } = await api('GET', `/operations?service=${name}`);
    assert.ok(
      items.some(
        (/** @type {{ kind: string, title: string }} */ { kind, title }) =>
          kind === 'fail_over_service' && title.endsWith(REASON),
      ),
      'the operation keeps the reason',
    );
    await turn('up');
    await notice.waitFor({ state: 'detached', timeout: 90_000 });
    const { items: places } = await api('GET', `${service}/assignments`);
    assert.deepEqual(
      places.map((/** @type {{ cluster: string, replicas: number }} */ one) => [one.cluster, one.replicas]),
      [[second.name, 1]],
    );
    await visited.end();
  } finally {
    await turn('up');
    await api('DELETE', service).catch(() => undefined);
  }
  await until('the cluster is ready again', cluster, ({ state }) => state === 'ready', 120);
});
