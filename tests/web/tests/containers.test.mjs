// A service whose pods have a container more than the platform put in, as a mesh or an operator adds one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, runService, servicesPath, until } from '../lib/api.mjs';
import { assertAccessible, choose, enter, launch, picture, visit } from '../lib/browser.mjs';
import { patch } from '../lib/cluster.mjs';
import { demo, freshName, place } from '../lib/settings.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** Puts `proxy` beside the container of a service, in the cluster itself. @param {string} name */
async function addContainer(name) {
  const pods = () => api('GET', `${servicesPath(place, name)}/pods`);
  const { items } = await pods();
  const cluster = demo.clusters.find((each) => each.name === items[0].cluster);
  assert.ok(cluster, JSON.stringify(items));
  const containers = [{ name: 'proxy', image: 'registry.example/tests/proxy:1' }];
  await patch(
    cluster.kubeconfig,
    `/apis/apps/v1/namespaces/${place.project}-${place.environment}/deployments/${name}`,
    { spec: { template: { spec: { containers } } } },
  );
  return until(
    'a pod with both containers, and no other',
    pods,
    ({ items }) => items.length === 1 && items[0].ready && items[0].containers === 2,
  ).then(({ items }) => items[0]);
}

test(
  'a log of several containers tells them apart, and each can be read alone',
  { timeout: 120_000 },
  async () => {
    const name = freshName('beside');
    await runService(name);
    const pod = await addContainer(name);
    for (const [language, width] of /** @type {const} */ ([
      ['en', 1_280],
      ['zh', 390],
    ])) {
      const visited = await visit(browser, { language, width });
      const { page, t } = visited;
      await enter(visited, `${servicesPath(place, name)}/logs`);
      const row = (/** @type {string} */ container) =>
        page
          .getByRole('log')
          .locator('[data-index]')
          .filter({ hasText: `started ${container} from image` });
      const container = t('word.container');
      /** @param {string} one @param {string} other */
      const assertOnly = async (one, other) => {
        await row(one).waitFor();
        await row(other).waitFor({ state: 'detached' });
      };

      // Of all of them a line says whose it is.
      for (const each of [name, 'proxy'])
        await row(each)
          .getByText(new RegExp(`^${pod.cluster}/\\S+/${each}$`))
          .waitFor();
      await assertAccessible(page, 'a log of two containers');
      await picture(page, `log-containers-${language}`);
      await choose(page, container, 'proxy');
      await assertOnly('proxy', name);
      // The other is there to be chosen although nothing of it is in this log.
      await choose(page, container, name);
      await assertOnly(name, 'proxy');
      await choose(page, container, t('log.all_containers'));
      for (const each of [name, 'proxy']) await row(each).waitFor();

      // Of one pod one container's log is read; all together are none.
      await choose(page, t('log.pod'), `${pod.cluster}/${pod.name}`);
      await choose(page, container, 'proxy');
      await assertOnly('proxy', name);
      await choose(page, container, name);
      await assertOnly(name, 'proxy');
      await page.getByRole('combobox', { name: container }).click();
      assert.equal(await page.getByTitle(t('log.all_containers')).filter({ visible: true }).count(), 0);
      await visited.end();
    }
    await api('DELETE', servicesPath(place, name));
  },
);
