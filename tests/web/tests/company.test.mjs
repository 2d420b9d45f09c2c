// People: made, given roles, given a new password that they have to change, and taken away again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, until } from '../lib/api.mjs';
import {
  assertAccessible,
  choose,
  enter,
  launch,
  openSignIn,
  picture,
  signIn,
  visit,
} from '../lib/browser.mjs';
import { freshName } from '../lib/settings.mjs';

/** @typedef {import('../lib/browser.mjs').Visit} Visit */

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** Signs in with a password that somebody else chose, and chooses another. @param {Visit} visited */
async function signInAndChange(
  visited,
  /** @type {{ user: string, given: string, own: string }} */ { user, given, own },
) {
  const { page, t } = visited;
  await openSignIn(visited, '/');
  await page.getByLabel(t('session.username'), { exact: true }).fill(user);
  await page.getByLabel(t('session.password'), { exact: true }).fill(given);
  await page.getByRole('button', { name: t('session.sign_in'), exact: true }).click();
  await page.getByRole('heading', { level: 1, name: t('password.title') }).waitFor();
  // There is no way around it.
  await page.goto('/services');
  await page.getByRole('heading', { level: 1, name: t('password.title') }).waitFor();
  await assertAccessible(page, 'the page that asks for a password of one’s own');
  const field = (/** @type {'current' | 'new' | 'again'} */ name) =>
    page.getByLabel(t(`password.${name}`), { exact: true });
  const change = page.getByRole('button', { name: t('password.change') });
  await field('current').fill(given);
  await field('new').fill(own);
  await field('again').fill(`${own}!`);
  await change.click();
  await page.getByText(t('password.differs')).waitFor();
  await field('again').fill(own);
  await change.click();
  await page.getByRole('heading', { level: 1, name: t('menu.services') }).waitFor();
}

/** Chooses somebody by how the name begins, with the keyboard alone. @param {Visit} visited @param {string} name */
async function pick({ page, t }, name) {
  const people = page.getByRole('dialog').getByRole('combobox', { name: t('company.user') });
  await people.focus();
  await page.keyboard.type(name.slice(0, 1));
  await page.getByText(t('company.type_name')).waitFor();
  await page.keyboard.type(name.slice(1));
  await page.locator('.ant-select-dropdown').getByTitle(name).filter({ visible: true }).waitFor();
  await page.keyboard.press('Enter');
}

/** What a dialog shows once. @param {import('playwright-core').Locator} dialog */
async function secretOf(dialog) {
  return (await dialog.getByTestId('new-password').innerText()).trim();
}

for (const [language, width, theme] of /** @type {const} */ ([
  ['en', 1_280, 'light'],
  ['zh', 390, 'dark'],
])) {
  test(`a person comes, and goes, in ${language} at ${width} px`, { timeout: 240_000 }, async () => {
    const name = freshName('person');
    const own = `${freshName('own')}-Aa1!`;
    const admin = await visit(browser, { language, width, theme });
    const person = await visit(browser, { language, width, theme });
    const { page, t } = admin;
    const dialog = page.getByRole('dialog');

    await enter(admin, '/company/users');
    await page.getByRole('button', { name: t('company.create_user') }).click();
    await dialog.getByRole('button', { name: t('company.create_user') }).click();
    await dialog.getByText(t('form.required')).waitFor();
    await dialog.getByLabel(t('session.username'), { exact: true }).fill(name);
    await assertAccessible(page, 'creating a user');
    await dialog.getByRole('button', { name: t('company.create_user') }).click();
    await dialog.getByText(t('company.user_created', { name })).waitFor();
    const given = await secretOf(dialog);
    assert.ok(given.length >= 16, 'the password that was made up is long');
    await assertAccessible(page, 'the password that is shown once');
    await dialog.getByRole('button', { name: t('company.give_roles_now') }).click();
    await page.getByRole('heading', { level: 1, name }).waitFor();
    await page.getByText(t('company.no_role_text')).waitFor();
    await page.getByText(t('company.must_change')).waitFor();

    // A role in one environment; the row is there once the server has it.
    await page.getByRole('button', { name: t('company.give') }).click();
    await choose(page, t('company.role'), t('role.developer'));
    await choose(page, t('word.project'), 'demo');
    await choose(page, t('word.environment'), 'production');
    await assertAccessible(page, 'giving a role');
    await dialog.getByRole('button', { name: t('company.give') }).click();
    await dialog.waitFor({ state: 'hidden' });
    const role = page.getByRole('row').filter({ hasText: 'demo/production' });
    await role.getByText(t('role.developer')).waitFor();
    await picture(page, `company-user-${language}`);

    await signInAndChange(person, { user: name, given, own });
    await person.page.getByRole('button', { name: t('service.create') }).waitFor();
    assert.equal(await person.page.getByRole('button', { name: t('service.create') }).isDisabled(), false);
    await page.reload();
    await page.getByRole('heading', { level: 1, name }).waitFor();
    await page.getByText(t('company.enabled'), { exact: true }).waitFor();
    assert.equal(await page.getByText(t('company.must_change')).count(), 0);

    // With a new password whoever had the old one is out, and has to change it once more.
    person.expect(/401/);
    await page.getByRole('button', { name: t('company.reset'), exact: true }).click();
    await dialog.getByText(t('company.reset_text')).waitFor();
    await assertAccessible(page, 'resetting a password');
    await dialog.getByRole('button', { name: t('company.reset'), exact: true }).click();
    await dialog.getByText(t('company.password_once')).waitFor();
    const second = await secretOf(dialog);
    assert.notEqual(second, given);
    await dialog.getByRole('button', { name: t('token.done') }).click();
    await dialog.waitFor({ state: 'hidden' });
    await page.getByText(t('company.must_change')).waitFor();
    await person.page.goto('/services');
    await person.page.getByRole('heading', { name: t('session.sign_in_title') }).waitFor();
    await person.page.getByLabel(t('session.username'), { exact: true }).fill(name);
    await person.page.getByLabel(t('session.password'), { exact: true }).fill(own);
    await person.page.getByRole('button', { name: t('session.sign_in'), exact: true }).click();
    await person.page.getByRole('alert').getByText(t('error.code.wrong_credentials')).waitFor();
    await signInAndChange(person, { user: name, given: second, own: `${own}2` });

    // Without the role nothing is seen.
    await role.getByRole('button', { name: t('company.take') }).click();
    await dialog.getByText(t('company.take_text', { place: 'demo/production' })).waitFor();
    await assertAccessible(page, 'taking a role away');
    await dialog.getByRole('button', { name: t('company.take') }).click();
    await role.waitFor({ state: 'detached' });
    await dialog.waitFor({ state: 'hidden' });
    const { items } = await api('GET', `/bindings?user=${name}`);
    assert.deepEqual(items, []);
    person.expect(/403/);
    await person.page.goto('/services');
    const create = person.page.getByRole('button', { name: t('service.create') });
    await create.waitFor();
    await until('the button is disabled', () => create.isDisabled(), Boolean);
    await person.end();

    // A name is taken only once; what was typed stays.
    admin.expect(/409.*\/users/);
    await page.goto('/company/users');
    await page.getByRole('button', { name: t('company.create_user') }).click();
    await dialog.getByLabel(t('session.username'), { exact: true }).fill(name);
    await dialog.getByRole('button', { name: t('company.create_user') }).click();
    await dialog.getByRole('alert').waitFor();
    assert.equal(await dialog.getByLabel(t('session.username'), { exact: true }).inputValue(), name);
    await dialog.getByRole('button', { name: t('action.cancel') }).click();
    await dialog.waitFor({ state: 'hidden' });

    await page.goto(`/company/users/${name}`);
    await page.getByRole('button', { name: t('action.delete') }).click();
    await dialog.getByRole('textbox').fill(name);
    // The page of who is gone may be read once more on the way out of it.
    admin.expect(/404.*\/users\//);
    await dialog.getByRole('button', { name: t('action.delete') }).click();
    await page.getByRole('heading', { level: 1, name: t('company.users') }).waitFor();
    await until(
      `${name} is gone`,
      () => api('GET', `/users?q=${name}`),
      ({ items }) => items.length === 0,
    );
    await admin.end();
  });

  test(
    `an owner sees to the members of a project, in ${language} at ${width} px`,
    {
      timeout: 240_000,
    },
    async () => {
      const project = freshName('team');
      const owner = freshName('owner');
      const friend = freshName('friend');
      const password = `${freshName('secret')}-Aa1!`;
      await api('POST', '/projects', { body: { name: project } });
      await api('POST', `/projects/${project}/environments`, { body: { name: 'test' } });
      for (const name of [owner, friend]) await api('POST', '/users', { body: { name, password } });
      await api('POST', '/bindings', { body: { user: owner, grant: { role: 'project_owner', project } } });

      const visited = await visit(browser, { language, width, theme });
      const { page, t } = visited;
      const dialog = page.getByRole('dialog');
      const row = (/** @type {string} */ name) =>
        page.getByRole('row').filter({ has: page.getByRole('cell', { name, exact: true }) });
      await signIn(visited, { user: owner, password, path: `/projects/${project}` });
      await page.getByRole('button', { name: t('project.add_member') }).click();
      await dialog.getByRole('button', { name: t('company.give') }).click();
      await dialog.getByText(t('form.required')).waitFor();
      await pick(visited, friend);
      await choose(page, t('company.role'), t('role.developer'));
      await choose(page, t('word.environment'), 'test');
      await assertAccessible(page, 'adding a member');
      await dialog.getByRole('button', { name: t('company.give') }).click();
      await dialog.waitFor({ state: 'hidden' });
      await row(friend).getByText(t('role.developer')).waitFor();
      await picture(page, `project-members-${language}`);
      const { items } = await api('GET', `/bindings?user=${friend}`);
      assert.deepEqual(items[0].grant, { role: 'developer', project, environment: 'test' });

      // One's own role goes last, and the last owner's not at all.
      visited.expect(/409.*\/members\//);
      await row(owner)
        .getByRole('button', { name: t('company.take') })
        .click();
      await dialog.getByText(t('company.take_own')).waitFor();
      await dialog.getByRole('button', { name: t('company.take') }).click();
      await dialog.getByRole('alert').getByText(t('error.code.last_project_owner')).waitFor();
      await assertAccessible(page, 'the last owner');
      await dialog.getByRole('button', { name: t('action.cancel') }).click();
      await dialog.waitFor({ state: 'hidden' });

      await row(friend)
        .getByRole('button', { name: t('company.take') })
        .click();
      await dialog.getByRole('button', { name: t('company.take') }).click();
      await row(friend).waitFor({ state: 'detached' });
      const audit = await api('GET', `/audit?project=${project}&outcome=succeeded&limit=10`);
      const done = audit.items.map(
        (/** @type {{ action: string, actor: string }} */ { action, actor }) => `${actor} ${action}`,
      );
      assert.deepEqual(done.slice(0, 2), [
        `${owner} delete_environment_member`,
        `${owner} create_environment_member`,
      ]);
      await visited.end();
      for (const name of [owner, friend]) await api('DELETE', `/users/${name}`);
      await api('DELETE', `/projects/${project}`);
    },
  );
}

test('an owner of an environment adds a member to it, and to no other', { timeout: 180_000 }, async () => {
  const project = freshName('part');
  const owner = freshName('owner');
  const friend = freshName('friend');
  const password = `${freshName('secret')}-Aa1!`;
  await api('POST', '/projects', { body: { name: project } });
  for (const name of ['production', 'test']) {
    await api('POST', `/projects/${project}/environments`, { body: { name } });
  }
  for (const name of [owner, friend]) await api('POST', '/users', { body: { name, password } });
  const grant = { role: 'project_owner', project, environment: 'test' };
  await api('POST', '/bindings', { body: { user: owner, grant } });

  const visited = await visit(browser);
  const { page, t } = visited;
  const dialog = page.getByRole('dialog');
  await signIn(visited, { user: owner, password, path: `/projects/${project}` });
  await page.getByRole('button', { name: t('project.add_member') }).click();
  await pick(visited, friend);
  await dialog.getByRole('button', { name: t('company.give') }).click();
  await dialog.getByText(t('form.required')).waitFor();
  await dialog.getByRole('combobox', { name: t('word.environment') }).click();
  const offered = page.locator('.ant-select-dropdown').filter({ visible: true }).locator('.ant-select-item');
  await offered.first().waitFor();
  assert.deepEqual(await offered.allInnerTexts(), ['test']);
  await offered.first().click();
  await dialog.getByRole('button', { name: t('company.give') }).click();
  await dialog.waitFor({ state: 'hidden' });
  const row = page.getByRole('row').filter({ has: page.getByRole('cell', { name: friend, exact: true }) });
  await row.getByText(t('role.viewer')).waitFor();
  await picture(page, 'environment-members');
  const { items } = await api('GET', `/bindings?user=${friend}`);
  assert.deepEqual(items[0].grant, { role: 'viewer', project, environment: 'test' });
  await row.getByRole('button', { name: t('company.take') }).click();
  await dialog.getByRole('button', { name: t('company.take') }).click();
  await row.waitFor({ state: 'detached' });
  await visited.end();
  for (const name of [owner, friend]) await api('DELETE', `/users/${name}`);
  await api('DELETE', `/projects/${project}`);
});
