// Lists: one action on many, columns that are remembered.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, makeService, servicesPath, until } from '../lib/api.mjs';
import { assertAccessible, enter, launch, picture, visit } from '../lib/browser.mjs';
import { freshName, place } from '../lib/settings.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test(
  'one action on many says what will happen to which, and how each went',
  { timeout: 180_000 },
  async () => {
    const stem = freshName('many');
    const names = ['a', 'b', 'c'].map((end) => `${stem}-${end}`);
    for (const [index, name] of names.entries()) {
      const spec = { image: `registry.example/tests/${name}:1` };
      await makeService(name, { replicas: index === 2 ? 2 : 1, spec });
    }
    const visited = await visit(browser);
    const { page, t } = visited;
    await enter(visited, `/services?q=${stem}`);
    for (const name of names) await page.getByRole('link', { name, exact: true }).waitFor();
    await page.getByRole('checkbox', { name: t('bulk.choose_all') }).check();
    const bar = page.getByRole('toolbar', { name: t('bulk.actions') });
    await bar.getByText(t('bulk.chosen', { count: 3 })).waitFor();
    await assertAccessible(page, 'rows that are chosen');

    await bar.getByRole('button', { name: t('bulk.scale'), exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('spinbutton').fill('2');
    await dialog.getByText(t('bulk.summary', { touched: 2, count: 3 })).waitFor();
    assert.equal(await dialog.getByText(t('bulk.will_scale', { from: 1, to: 2, count: 2 })).count(), 2);
    await dialog.getByText(t('bulk.skip.same_replicas')).waitFor();
    await assertAccessible(page, 'what an action will do');
    await dialog.getByRole('button', { name: t('bulk.ok_scale', { count: 2 }) }).click();
    await dialog.getByText(t('bulk.progress', { answered: 2, count: 2, refused: 0 })).waitFor();
    await picture(page, 'bulk-outcome');
    await dialog.getByRole('button', { name: t('bulk.close'), exact: true }).click();
    await dialog.waitFor({ state: 'hidden' });
    assert.equal(await bar.count(), 0, 'nothing is chosen any more');
    for (const name of names) assert.equal((await api('GET', servicesPath(place, name))).replicas, 2);

    // A revision that is saved and never released is none to go back to.
    const saved = await api('GET', servicesPath(place, names[0]));
    const { spec } = await api('GET', `${servicesPath(place, names[0])}/revisions/1`);
    await api('POST', `${servicesPath(place, names[0])}/revisions`, {
      body: { spec: { ...spec, env: [{ name: 'SAVED', value: 'only' }] }, release: false },
      version: saved.version,
    });
    await page.getByRole('checkbox', { name: t('bulk.choose', { name: names[0] ?? '' }) }).check();
    await bar.getByRole('button', { name: t('bulk.release'), exact: true }).click();
    await dialog.getByText(t('bulk.skip.no_image')).waitFor();
    await dialog.getByRole('textbox', { name: t('bulk.tag') }).fill('2');
    await dialog.getByText(`registry.example/tests/${names[0]}:2`).waitFor();
    await dialog.getByRole('button', { name: t('bulk.ok_release', { count: 1 }) }).click();
    await dialog.getByText(t('bulk.progress', { answered: 1, count: 1, refused: 0 })).waitFor();
    await dialog.getByRole('button', { name: t('bulk.close'), exact: true }).click();

    await page.getByRole('checkbox', { name: t('bulk.choose_all') }).check();
    await bar.getByRole('button', { name: t('bulk.roll_back'), exact: true }).click();
    await dialog.getByText(t('bulk.will_roll_back', { from: 3, to: 1 })).waitFor();
    assert.equal(await dialog.getByText(t('bulk.skip.first_revision')).count(), 2);
    await dialog.getByRole('button', { name: t('action.cancel') }).click();

    await bar.getByRole('button', { name: t('bulk.delete'), exact: true }).click();
    const confirm = dialog.getByRole('button', { name: t('bulk.ok_delete', { count: 3 }) });
    assert.equal(await confirm.isDisabled(), true);
    await dialog.getByRole('textbox').fill(t('bulk.delete_phrase', { count: 3 }));
    // One that is gone before its turn is a refusal of its own, and not the end of the others.
    visited.expect(/40[49].*\/services\//);
    await api('DELETE', servicesPath(place, names[1]));
    await confirm.click();
    await dialog.getByText(/3/).first().waitFor();
    await dialog.getByRole('button', { name: t('bulk.close'), exact: true }).click();
    await page.getByText(t('filter.none_title')).waitFor({ timeout: 60_000 });
    await until(
      'all are gone',
      () => api('GET', `/services?q=${stem}`),
      ({ items }) => items.length === 0,
    );
    await visited.end();
  },
);

test('columns are chosen, and remembered', async () => {
  const visited = await visit(browser);
  const { page, t } = visited;
  await enter(visited, '/services');
  const head = (/** @type {string} */ name) => page.getByRole('columnheader', { name, exact: true });
  await head(t('word.image')).waitFor();
  await page.getByRole('button', { name: t('columns.choose') }).click();
  await page.getByRole('checkbox', { name: t('word.image') }).uncheck();
  await page.getByRole('checkbox', { name: t('word.kind') }).check();
  await head(t('word.kind')).waitFor();
  await page.reload();
  await head(t('word.kind')).waitFor();
  assert.equal(await head(t('word.image')).count(), 0);
  await page.getByRole('button', { name: t('columns.choose') }).click();
  await page.getByRole('button', { name: t('columns.reset') }).click();
  await head(t('word.image')).waitFor();
  await visited.end();
});
