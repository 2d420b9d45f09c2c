// Volumes: asked for in the form, seen on the service's page, kept when nothing uses them, and deleted by their name.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, runService, servicesPath, until } from '../lib/api.mjs';
import { assertAccessible, choose, enter, launch, picture, visit } from '../lib/browser.mjs';
import { freshName, place } from '../lib/settings.mjs';
import { containing } from '../lib/words.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const volumesPath = servicesPath(place).replace(/services$/, 'volumes');

test(
  'a volume is checked in the form, shown, kept, and deleted by its name',
  { timeout: 180_000 },
  async () => {
    const name = freshName('stored');
    const visited = await visit(browser);
    const { page, t } = visited;
    // It is looked for where it was, once it is deleted.
    visited.expect(/404.*\/services\//);
    await enter(visited, `/services/new?project=${place.project}&environment=${place.environment}`);
    await page.getByLabel(t('word.name'), { exact: true }).fill(name);
    await page.getByLabel(t('word.image'), { exact: true }).fill('registry.example/tests/web:1');
    const section = page.locator('#section-volumes');
    await section.getByRole('button', { name: t('service_form.add_volume') }).click();
    await section.getByLabel(t('word.name'), { exact: true }).fill('No-Name');
    await section.getByText(t('form.volume_name')).waitFor();
    await section.getByLabel(t('service_form.volume_size'), { exact: true }).fill('10');
    await section.getByText(t('form.volume_size')).waitFor();
    await section.getByLabel(t('service_form.mount_path'), { exact: true }).fill('relative');
    await section.getByText(t('form.path')).waitFor();
    await choose(page, t('service_form.volume_access'), t('volume.access_one_node'));
    await section.getByText(t('form.volume_access')).waitFor();
    await section.scrollIntoViewIfNeeded();
    await picture(page, 'volumes-form-refused');
    await assertAccessible(page, 'the form of a volume');
    await section.getByLabel(t('word.name'), { exact: true }).fill('data');
    await section.getByLabel(t('service_form.volume_size'), { exact: true }).fill('10Gi');
    await section.getByLabel(t('service_form.mount_path'), { exact: true }).fill('/var/lib/data');
    await choose(page, t('service_form.volume_access'), t('volume.access_many_nodes'));
    await section.scrollIntoViewIfNeeded();
    await picture(page, 'volumes-form');
    await page.getByRole('button', { name: t('service.create') }).click();
    await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();

    await page.getByRole('link', { name: t('service.tab_volumes'), exact: true }).click();
    const table = page.getByRole('group', { name: t('volume.title') });
    await table.getByText(`${name}-data`).first().waitFor();
    await table.getByText(t('volume.phase_bound')).first().waitFor();
    await table.getByText(t('volume.in_use')).first().waitFor();
    await table.getByText('10 GiB').first().waitFor();
    assert.ok(
      await table
        .getByRole('button', { name: containing(`${name}-data`) })
        .first()
        .isDisabled(),
    );
    await picture(page, 'volumes-page');
    await assertAccessible(page, 'the volumes of a service');

    // A plan says what can't follow.
    const { items } = await api('GET', `${volumesPath}?service=${name}`);
    const { cluster } = items[0];
    await page.goto(`/clusters/${cluster}`);
    await page.getByRole('button', { name: t('evacuation.order'), exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(containing(`${name}-data (10 GiB)`)).waitFor();
    await dialog.getByText(t('evacuation.stays')).first().waitFor();
    await picture(page, 'volumes-evacuation');
    await assertAccessible(page, 'the plan of an evacuation with data');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });

    // Its deletion keeps the data, which is found where the service was.
    await page.goto(servicesPath(place, name));
    await page.getByRole('button', { name: t('service.more_actions'), exact: true }).click();
    await page.getByRole('menuitem', { name: t('action.delete'), exact: true }).click();
    await dialog.getByText(t('volume.delete_too')).waitFor();
    await picture(page, 'volumes-delete-service');
    await dialog.getByRole('textbox').fill(name);
    await dialog.getByRole('button', { name: containing(t('action.delete')) }).click();
    await dialog.waitFor({ state: 'hidden' });
    await page.goto(servicesPath(place, name));
    await page.getByText(t('volume.kept_title')).waitFor({ timeout: 60_000 });
    await picture(page, 'volumes-kept');

    // And where one looks for what is stored at all.
    await page.goto(`/projects/${place.project}/storage?environment=${place.environment}`);
    await table.getByText(`${name}-data`).first().waitFor();
    await picture(page, 'volumes-of-environment');
    await table.getByRole('link', { name, exact: true }).first().click();
    // The list that is left has the same buttons.
    await page.getByText(t('volume.kept_title')).waitFor();
    await until(
      'nothing to use the claims',
      () => api('GET', `${volumesPath}?service=${name}`),
      ({ items }) => items.every((/** @type {any} */ item) => !item.claim.in_use && !item.wanted),
    );
    const [here, there] = items;
    await table
      .getByRole('button', { name: t('volume.delete_of', { name: `${name}-data`, cluster: here.cluster }) })
      .click();
    await dialog.getByText(containing('10 GiB')).waitFor();
    await dialog.getByRole('textbox').fill(`${name}-data`);
    await picture(page, 'volumes-delete');
    // Somebody else deletes the other: the page is told, looks again for the service that is gone, and keeps the dialog.
    const looked = page.waitForResponse((answer) => answer.url().endsWith(servicesPath(place, name)));
    await api('DELETE', `${volumesPath}/${there.cluster}/${name}-data?confirm=${name}-data`);
    await looked;
    await page
      .getByLabel(t('volume.delete_of', { name: `${name}-data`, cluster: there.cluster }))
      .waitFor({ state: 'hidden' });
    await dialog.getByRole('button', { name: containing(t('action.delete')) }).click();
    await dialog.waitFor({ state: 'hidden' });
    await page.getByText(t('volume.kept_title')).waitFor({ state: 'hidden' });
    await visited.end();
  },
);

test('a volume that shrinks is refused at its field', { timeout: 120_000 }, async () => {
  const name = freshName('shrinks');
  const volume = { name: 'data', mount_path: '/data', size: '5Gi', access: 'many_nodes' };
  await runService(name, { replicas: 1, spec: { volumes: [volume] } });
  const visited = await visit(browser);
  const { page, t } = visited;
  visited.expect(/422.*\/(services|revisions)/);
  await enter(visited, `${servicesPath(place, name)}/edit`);
  const section = page.locator('#section-volumes');
  await section.getByLabel(t('service_form.volume_size'), { exact: true }).fill('1Gi');
  await page.getByRole('button', { name: t('service.review') }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('volumes[data].size').waitFor();
  await dialog.getByRole('button', { name: t('service.save_and_release') }).click();
  await section.getByText(containing('5 GiB')).waitFor();
  await picture(page, 'volumes-shrink-refused');
  // Whoever still looks at the service would be told that it is gone.
  await visited.end();
  await api('DELETE', `${servicesPath(place, name)}?delete_volumes=true`);
  await until(
    'its data to be gone with it',
    () => api('GET', `${volumesPath}?service=${name}`),
    ({ items }) => items.length === 0,
  );
});
