// A service as YAML: the same service as in the form, checked while it is typed, compared before it is saved.
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

const CREATE = `/services/new?project=${place.project}&environment=${place.environment}`;

/** @param {import("../lib/browser.mjs").Visit} visited */
const editorOf = ({ page, t }) => page.getByRole('textbox', { name: t('editor.title') });

/** Puts another text in place of the whole one. @param {import("../lib/browser.mjs").Visit} visited @param {string} text */
async function write(visited, text) {
  await editorOf(visited).click();
  await visited.page.keyboard.press('Control+a');
  await visited.page.keyboard.insertText(text);
}

/** @param {import("../lib/browser.mjs").Visit} visited @param {'editor.as_form' | 'editor.as_yaml'} look */
async function show({ page, t }, look) {
  await page
    .getByRole('radiogroup', { name: t('editor.switch') })
    .getByText(t(look))
    .click();
}

test('form and text say the same, and going to and fro loses nothing', { timeout: 240_000 }, async () => {
  const visited = await visit(browser);
  const { page, t } = visited;
  const name = freshName('as-yaml');
  await enter(visited, CREATE);
  await page.getByLabel(t('word.name'), { exact: true }).fill(name);
  await page.getByLabel(t('word.image'), { exact: true }).fill('registry.example/tests/web:1');
  await show(visited, 'editor.as_yaml');
  await editorOf(visited).getByText(name).waitFor();
  await assertAccessible(page, 'the editor');
  await write(
    visited,
    [
      '# why it is so',
      `name: ${name}`,
      'replicas: 1',
      'spec:',
      '  image: registry.example/tests/web:2 # the second',
      '  command: [sh, -c, "one\\ntwo"]',
      '  env:',
      '    - name: LEVEL',
      '      value: info',
      '  resources: { cpu_request: 50m, cpu_limit: 50m, memory_request: 32Mi, memory_limit: 32Mi }',
      '',
    ].join('\n'),
  );
  await page.getByText(t('editor.problems_zero')).waitFor();
  await picture(page, 'yaml-create');
  await show(visited, 'editor.as_form');
  assert.equal(
    await page.getByLabel(t('word.image'), { exact: true }).inputValue(),
    'registry.example/tests/web:2',
  );
  await page.locator('#section-env').getByLabel(t('word.value')).fill('debug');
  await show(visited, 'editor.as_yaml');
  const editor = editorOf(visited);
  await editor.getByText('# why it is so').waitFor();
  await editor.getByText('# the second').waitFor();
  await editor.getByText('value: debug').waitFor();
  await page.getByRole('button', { name: t('service.create') }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
  const { spec } = await api('GET', `${servicesPath(place, name)}/revisions/1`);
  assert.deepEqual(spec.command, ['sh', '-c', 'one\ntwo']);
  assert.deepEqual(spec.env, [{ name: 'LEVEL', value: 'debug' }]);
  await visited.end();
  await api('DELETE', servicesPath(place, name));
});

test('what is wrong is marked at its line, by the page and by the server', { timeout: 240_000 }, async () => {
  for (const language of /** @type {const} */ (['en', 'zh'])) {
    const visited = await visit(browser, { language, width: language === 'zh' ? 390 : 1_280 });
    const { page, t } = visited;
    visited.expect(/422.*\/services/);
    await enter(visited, `${CREATE}&as=yaml`);
    const name = freshName('refused');
    const lines = [`name: ${name}`, 'spec:', '  image: registry.example/tests/web:1', '  env:'];
    const twice = [...lines, '    - name: TWICE', '    - name: TWICE', ''];

    await write(visited, [...twice, 'replicas: many', 'colour: red', ''].join('\n'));
    const problems = page.getByRole('status').filter({ hasText: t('editor.line', { line: 8 }) });
    await problems.getByText(t('editor.problem.number')).waitFor();
    await problems.getByText(t('editor.line', { line: 9 })).waitFor();
    assert.equal(await page.locator('.cm-lint-marker-error').count(), 2);
    await picture(page, `yaml-problems-${language}`);
    // The form can't hold what is not there in it.
    await show(visited, 'editor.as_form');
    await page.getByText(t('editor.before_form')).waitFor();
    await editorOf(visited).waitFor();

    await write(visited, twice.join('\n'));
    await page.getByText(t('editor.problems_zero')).waitFor();
    await page.getByRole('button', { name: t('service.create') }).click();
    await page.getByRole('alert').getByText(t('error.code.invalid_spec')).waitFor();
    const sixth = page.getByRole('button', { name: t('editor.line', { line: 6 }) });
    await sixth.click();
    await page.locator('.cm-activeLineGutter', { hasText: '6' }).waitFor();
    await assertAccessible(page, 'an editor with problems');
    await page.keyboard.press('End');
    await page.keyboard.type('_MORE');
    await page.getByText(t('editor.problems_zero')).waitFor();
    await visited.end();
  }
});

test('an edit as text is compared with what runs before it is saved', { timeout: 240_000 }, async () => {
  const name = freshName('yaml-edit');
  await makeService(name, { spec: { env: [{ name: 'LEVEL', value: 'info' }] } });
  await until(
    `${name} runs`,
    () => api('GET', servicesPath(place, name)),
    ({ operation }) => !operation,
  );
  const visited = await visit(browser);
  const { page, t } = visited;
  await enter(visited, `${servicesPath(place, name)}/edit?as=yaml`);
  await editorOf(visited).getByText('value: info').click();
  await page.keyboard.press('End');
  await page.keyboard.type('rmative');
  await page.getByRole('button', { name: t('service.review') }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('env[LEVEL].value').waitFor();
  for (const look of ['editor.unified', 'editor.side_by_side']) {
    await dialog.getByText(t(look), { exact: true }).click();
    await dialog.getByText('value: informative').waitFor();
    await dialog.getByText('value: info', { exact: true }).waitFor();
    await assertAccessible(page, look);
    await picture(page, `yaml-${look}`);
  }
  await dialog.getByRole('button', { name: t('service.save_and_release') }).click();
  await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
  const revision = await api('GET', `${servicesPath(place, name)}/revisions/2`);
  assert.equal(revision.spec.env[0].value, 'informative');
  await visited.end();
  await api('DELETE', servicesPath(place, name));
});

test('secrets are not to be read in it, and those that are there stay', { timeout: 240_000 }, async () => {
  const name = freshName('yaml-secret');
  const [stored, typed] = [freshName('stored'), freshName('typed')];
  await makeService(name, { replicas: 0, spec: { secrets: [{ name: 'KEPT', value: stored }] } });
  const visited = await visit(browser);
  const { page, t } = visited;
  await enter(visited, `${servicesPath(place, name)}/edit`);
  const section = page.locator('#section-secrets');
  await section.getByRole('button', { name: t('service_form.add_secret') }).click();
  await section.getByLabel(t('word.name'), { exact: true }).last().fill('ADDED');
  await section.getByLabel(t('word.value'), { exact: true }).last().fill(typed);
  await show(visited, 'editor.as_yaml');
  await editorOf(visited).getByText('KEPT').waitFor();
  const dots = page.locator('.cm-masked').filter({ hasText: typed });
  await dots.waitFor();
  assert.equal(
    await dots.evaluate((node) => getComputedStyle(node).getPropertyValue('-webkit-text-security')),
    'disc',
  );
  assert.ok(
    !(await page.locator('body').innerText()).includes(stored),
    'the page does not have what is stored',
  );
  await page.getByRole('button', { name: t('service.review') }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('ADDED').first().waitFor();
  assert.ok(!(await dialog.innerText()).includes(typed), 'the difference does not show it either');
  await dialog.getByRole('button', { name: t('service.save_and_release') }).click();
  await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
  const revisions = [];
  for (const number of [1, 2]) {
    const revision = await api('GET', `${servicesPath(place, name)}/revisions/${number}`);
    revisions.push(revision.spec.secrets);
  }
  assert.deepEqual(
    revisions[1].map((/** @type {{ name: string }} */ secret) => secret.name),
    ['KEPT', 'ADDED'],
  );
  assert.equal(revisions[1][0].fingerprint, revisions[0][0].fingerprint);
  await visited.end();
  await api('DELETE', servicesPath(place, name));
});
