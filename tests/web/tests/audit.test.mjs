// The audit: what was done to what, as it was before and after, and as a file.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { api, until } from '../lib/api.mjs';
import { assertAccessible, enter, launch, picture, visit } from '../lib/browser.mjs';
import { freshName } from '../lib/settings.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** A user that was made and changed, both of them in the audit to the end. */
async function makeHistory() {
  const name = freshName('audited');
  const password = `${freshName('secret')}-Aa1!`;
  await api('POST', '/users', { body: { name, password, display_name: 'First' } });
  await api('PATCH', `/users/${name}`, { body: { display_name: 'Second' } });
  await until(
    'both changes are recorded with how they ended',
    () => api('GET', `/audit?q=${name}`),
    ({ items }) =>
      items.length === 2 && items.every((/** @type {any} */ { outcome }) => outcome === 'succeeded'),
  );
  return { name, password };
}

for (const [language, width, theme] of /** @type {const} */ ([
  ['en', 1_280, 'light'],
  ['zh', 390, 'dark'],
])) {
  test(`a record shows before and after, in ${language} at ${width} px`, { timeout: 240_000 }, async () => {
    const { name, password } = await makeHistory();
    const visited = await visit(browser, { language, width, theme });
    const { page, t } = visited;
    await enter(visited, `/audit?q=${name}`);
    const record = (/** @type {string} */ action) =>
      page
        .getByRole('row')
        .filter({ hasText: name })
        .getByRole('button', { name: t(action) });
    const drawer = page.getByRole('dialog');

    await record('audit.action.update_user').click();
    const change = drawer.getByRole('listitem').filter({ hasText: 'display_name' });
    await change.getByText('First').waitFor();
    await change.getByText('Second').waitFor();
    await drawer.getByText(`/api/v1/users/${name}`).waitFor();
    await assertAccessible(page, 'a record');
    await picture(page, `audit-record-${language}`);

    // Its address is that of the record.
    await page.reload();
    await change.getByText('Second').waitFor();
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'hidden' });
    assert.equal(new URL(page.url()).searchParams.has('record'), false);
    assert.equal(new URL(page.url()).searchParams.get('q'), name);

    // What was made has no before, and its password is nowhere.
    await record('audit.action.create_user').click();
    await drawer.getByRole('heading', { name: t('audit.after') }).waitFor();
    await drawer.getByText('"First"').first().waitFor();
    assert.ok(!(await drawer.innerText()).includes(password), 'the password is not shown');
    await assertAccessible(page, 'the record of what was made');
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'hidden' });
    await visited.end();
    await api('DELETE', `/users/${name}`);
  });
}

test('what the list shows is saved as a file, and nothing else is', { timeout: 240_000 }, async () => {
  const { name, password } = await makeHistory();
  const visited = await visit(browser);
  const { page, t } = visited;
  await enter(visited, `/audit?q=${name}`);
  await page.getByRole('row').filter({ hasText: name }).first().waitFor();

  /** @param {'csv' | 'jsonl'} format */
  const save = async (format) => {
    await page.getByRole('button', { name: t('audit.export') }).click();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('menuitem', { name: t(`audit.format.${format}`) }).click(),
    ]);
    assert.equal(file.suggestedFilename(), `audit.${format}`);
    const text = await readFile(await file.path(), 'utf8');
    assert.ok(!text.includes(password), 'the password is in no file');
    return text.trim().split(/\r?\n/);
  };
  const rows = await save('csv');
  assert.equal(rows.length, 3, 'a head and two records');
  assert.match(rows[1] ?? '', /,update_user,/);
  assert.match(rows[2] ?? '', /,create_user,/);

  const records = (await save('jsonl')).map((line) => JSON.parse(line));
  assert.deepEqual(
    records.map(({ record, before, after }) => [record.action, before?.display_name, after?.display_name]),
    [
      ['update_user', 'First', 'Second'],
      ['create_user', undefined, 'First'],
    ],
  );

  // Under a filter that finds nothing there is nothing in it.
  await page.getByPlaceholder(t('audit.search')).fill(`${name}-nobody`);
  await page.getByText(t('filter.none_title')).waitFor();
  assert.equal((await save('csv')).length, 1, 'only the head');
  await visited.end();
  await api('DELETE', `/users/${name}`);
});
