// Forms: what the server refuses stands at its field, and two people who edit at once lose nothing.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, runService, servicesPath, until } from '../lib/api.mjs';
import { assertAccessible, enter, launch, picture, visit } from '../lib/browser.mjs';
import { freshName, place } from '../lib/settings.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** @param {string} stem */
async function make(stem) {
  const name = freshName(stem);
  await runService(name, { replicas: 2, spec: { env: [{ name: 'LEVEL', value: 'info' }] } });
  return name;
}

test('what the server refuses stands at its field, and what was typed stays', async () => {
  const visited = await visit(browser);
  const { page, t } = visited;
  visited.expect(/422.*\/services/);
  await enter(visited, `/services/new?project=${place.project}&environment=${place.environment}`);
  const name = freshName('refused');
  await page.getByLabel(t('word.name'), { exact: true }).fill(name);
  await page.getByLabel(t('word.image'), { exact: true }).fill('registry.example/tests/web:1');
  const env = page.locator('#section-env');
  for (const number of [0, 1]) {
    await env.getByRole('button', { name: t('service_form.add_variable') }).click();
    await env.getByLabel(t('word.name'), { exact: true }).nth(number).fill('TWICE');
  }
  await page.getByRole('button', { name: t('service.create') }).click();
  await page.getByRole('alert').getByText(t('error.code.invalid_spec')).waitFor();
  const second = env.getByLabel(t('word.name'), { exact: true }).nth(1);
  assert.equal(await second.getAttribute('aria-invalid'), 'true');
  assert.equal(await page.getByLabel(t('word.name'), { exact: true }).first().inputValue(), name);
  await picture(page, 'form-refused');
  await visited.end();
});

test('checks in the page need no server', async () => {
  const visited = await visit(browser);
  const { page, t } = visited;
  await enter(visited, '/services/new');
  await page.getByLabel(t('word.name'), { exact: true }).fill('Not A Name');
  await page.getByText(t('form.dns_label', { most: 50 })).waitFor();
  await page.getByLabel(t('word.image'), { exact: true }).fill('no image at all');
  await page.getByText(t('form.image')).waitFor();
  await page.getByLabel(t('service_form.cpu_limit'), { exact: true }).fill('500m');
  await page.getByText(t('form.limit_below_request')).waitFor();
  await visited.end();
});

test(
  'an edit shows the difference before it is saved, and makes a revision',
  { timeout: 120_000 },
  async () => {
    const name = await make('edited');
    const visited = await visit(browser);
    const { page, t } = visited;
    await enter(visited, `${servicesPath(place, name)}/edit`);
    await page.locator('#section-env').getByLabel(t('word.value')).fill('debug');
    await page.getByRole('button', { name: t('service.review') }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('env[LEVEL].value').waitFor();
    await dialog.getByText('debug').waitFor();
    await assertAccessible(page, 'the difference before it is saved');
    await picture(page, 'edit-review');
    await dialog.getByRole('button', { name: t('service.save_and_release') }).click();
    await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
    const revision = await api('GET', `${servicesPath(place, name)}/revisions/2`);
    assert.equal(revision.spec.env[0].value, 'debug');
    await visited.end();
    await api('DELETE', servicesPath(place, name));
  },
);

test(
  'two edits at once: the second sees the first, and keeps what it typed',
  { timeout: 120_000 },
  async () => {
    const name = await make('conflict');
    const visited = await visit(browser);
    const { page, t } = visited;
    visited.expect(/409.*\/services/);
    await enter(visited, `${servicesPath(place, name)}/edit`);
    await page.locator('#section-env').getByLabel(t('word.value')).fill('mine');

    const { version } = await api('GET', servicesPath(place, name));
    await api('PATCH', servicesPath(place, name), { body: { description: 'theirs' }, version });

    await page.getByRole('button', { name: t('service.review') }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: t('service.save_and_release') })
      .click();
    const conflict = page.getByRole('alert').filter({ hasText: t('conflict.title') });
    await conflict.locator('pre', { hasText: 'theirs' }).waitFor();
    await picture(page, 'edit-conflict');
    await conflict.getByRole('button', { name: t('conflict.keep_mine') }).click();
    assert.equal(await page.getByLabel(t('word.description')).inputValue(), 'theirs');
    assert.equal(await page.locator('#section-env').getByLabel(t('word.value')).inputValue(), 'mine');

    await page.getByRole('button', { name: t('service.review') }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: t('service.save_and_release') })
      .click();
    await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
    const service = await api('GET', servicesPath(place, name));
    assert.equal(service.description, 'theirs');
    const revision = await api('GET', `${servicesPath(place, name)}/revisions/${service.revision}`);
    assert.equal(revision.spec.env[0].value, 'mine');
    await visited.end();
    await api('DELETE', servicesPath(place, name));
  },
);

test('scaling shows where the replicas would go', { timeout: 240_000 }, async () => {
  const name = await make('scaled');
  const visited = await visit(browser);
  const { page, t } = visited;
  await enter(visited, servicesPath(place, name));
  await page.getByRole('button', { name: t('service.scale'), exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('spinbutton').fill('5');
  await dialog.getByText(t('preview.title')).waitFor();
  await assertAccessible(page, 'where replicas would go');
  await dialog.getByRole('button', { name: t('service.scale'), exact: true }).click();
  await dialog.waitFor({ state: 'hidden' });
  const service = await until(
    'five replicas',
    () => api('GET', servicesPath(place, name)),
    ({ status }) => status.ready === 5 && status.state === 'running',
  );
  assert.equal(service.replicas, 5);
  await page
    .getByText(t('service.replicas_ready', { ready: 5, wanted: 5, count: 5 }))
    .first()
    .waitFor({ state: 'attached' });
  await visited.end();
  await api('DELETE', servicesPath(place, name));
});
