// An environment's own rules: what happens when a cluster is lost, and when it is in use again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api } from '../lib/api.mjs';
import { assertAccessible, enter, launch, picture, visit } from '../lib/browser.mjs';
import { freshName } from '../lib/settings.mjs';
import { containing } from '../lib/words.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test('an environment says whether and how what left a cluster moves back', { timeout: 180_000 }, async () => {
  const project = freshName('rules');
  const path = `/projects/${project}/environments/test`;
  await api('POST', '/projects', { body: { name: project } });
  const made = await api('POST', `/projects/${project}/environments`, { body: { name: 'test' } });
  assert.deepEqual(made.failback, { mode: 'confirm', after_minutes: 30, percent: 25 });
  const visited = await visit(browser);
  const { page, t } = visited;
  await enter(visited, `/projects/${project}`);
  const edit = page
    .getByRole('row')
    .filter({ hasText: `${project}-test` })
    .getByRole('button', { name: t('action.edit'), exact: true });
  const dialog = page.getByRole('dialog');
  const minutes = dialog.getByLabel(t('project.failback_after'));
  const percent = dialog.getByLabel(t('failback.percent'));
  /** @param {string} mode */
  const choose = (mode) =>
    dialog.getByRole('radio', { name: t(`project.failback_${mode}`), exact: true }).check();

  await edit.click();
  await percent.waitFor();
  await minutes.waitFor({ state: 'hidden' });
  await choose('never');
  await percent.waitFor({ state: 'hidden' });
  await choose('automatic');
  await minutes.fill('10');
  await percent.fill('50');
  await assertAccessible(page, 'editing an environment');
  await picture(page, 'environment-failback');
  await dialog.getByRole('button', { name: containing(t('action.save')) }).click();
  await dialog.waitFor({ state: 'hidden' });
  const automatic = { mode: 'automatic', after_minutes: 10, percent: 50 };
  assert.deepEqual((await api('GET', path)).failback, automatic);

  // A number that doesn't matter may be left empty.
  await edit.click();
  await minutes.waitFor();
  assert.equal(await minutes.inputValue(), '10');
  await minutes.fill('');
  await choose('never');
  await dialog.getByRole('button', { name: containing(t('action.save')) }).click();
  await dialog.waitFor({ state: 'hidden' });
  assert.equal((await api('GET', path)).failback.mode, 'never');

  await api('DELETE', path);
  await api('DELETE', `/projects/${project}`);
  await visited.end();
});
