// Who is signed in, who is not any more, and who may what.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api } from '../lib/api.mjs';
import { launch, signIn, visit } from '../lib/browser.mjs';
import { demo, freshName } from '../lib/settings.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test('a deep link leads through the sign-in page and back', async () => {
  const visited = await visit(browser);
  const { page, t } = visited;
  await signIn(visited, { path: '/services?project=demo&state=running' });
  await page.getByRole('heading', { level: 1, name: t('menu.services') }).waitFor();
  assert.equal(new URL(page.url()).search, '?project=demo&state=running');
  await visited.end();
});

test('a wrong password is refused in words, and what was typed stays', async () => {
  const visited = await visit(browser, { language: 'zh' });
  const { page, t } = visited;
  visited.expect(/401.*\/api\/v1\/session/);
  await page.goto('/');
  await page.getByLabel(t('session.username'), { exact: true }).fill(freshName('nobody'));
  await page.getByLabel(t('session.password'), { exact: true }).fill('not the password');
  await page.getByRole('button', { name: t('session.sign_in'), exact: true }).click();
  await page.getByRole('alert').getByText(t('error.code.wrong_credentials')).waitFor();
  assert.match(await page.getByLabel(t('session.username'), { exact: true }).inputValue(), /^nobody-/);
  await visited.end();
});

test('a session that ended elsewhere leads to the sign-in page and back to the same place', async () => {
  const visited = await visit(browser);
  const { page, t } = visited;
  await signIn(visited, { path: '/clusters' });
  await page.getByRole('heading', { level: 1, name: t('menu.clusters') }).waitFor();
  visited.expect(/401/);
  await page.context().clearCookies();
  await page.getByRole('link', { name: t('menu.audit') }).click();
  await page.getByRole('heading', { name: t('session.sign_in_title') }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get('next'), '/audit');
  await signIn(visited, { path: page.url() });
  await page.getByRole('heading', { level: 1, name: t('menu.audit') }).waitFor();
  await visited.end();
});

test('signing out forgets everything', async () => {
  const visited = await visit(browser);
  const { page, t } = visited;
  await signIn(visited);
  await page.getByRole('button', { name: t('shell.person', { name: await shownName() }) }).click();
  await page.getByRole('menuitem', { name: t('session.sign_out') }).click();
  await page.getByRole('heading', { name: t('session.sign_in_title') }).waitFor();
  await page.goto('/services');
  await page.getByRole('heading', { name: t('session.sign_in_title') }).waitFor();
  await visited.end();
});

test('the language is remembered', async () => {
  const visited = await visit(browser);
  const { page } = visited;
  await page.goto('/');
  await page.getByText('中文', { exact: true }).click();
  await page.getByRole('heading', { name: '登录 Longshore' }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
  assert.equal(await page.evaluate(() => localStorage.getItem('longshore.language')), 'zh');
  await visited.end();
});

test('a viewer sees, and is told why nothing can be changed', async () => {
  const user = freshName('viewer');
  const password = `${freshName('secret')}-Aa1!`;
  await api('POST', '/users', { body: { name: user, password } });
  await api('POST', '/bindings', { body: { user, grant: { role: 'viewer', project: 'demo' } } });
  const visited = await visit(browser);
  const { page, t } = visited;
  await signIn(visited, { user, password, path: '/services' });
  const create = page.getByRole('button', { name: t('service.create') });
  await create.waitFor();
  assert.equal(await create.isDisabled(), true);
  await create.hover({ force: true });
  await page.getByRole('tooltip').getByText('service:write').waitFor();
  assert.equal(await page.getByRole('link', { name: t('menu.audit'), exact: true }).count(), 0);
  await page.getByRole('link', { name: 'web', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'web' }).waitFor();
  for (const action of ['service.upgrade', 'service.scale', 'action.edit']) {
    assert.equal(await page.getByRole('button', { name: t(action), exact: true }).isDisabled(), true, action);
  }
  await visited.end();
  await api('DELETE', `/users/${user}`);
});

test('an API token is shown once, works, and is turned away when revoked', async () => {
  const visited = await visit(browser);
  const { page, t } = visited;
  const name = freshName('token');
  await signIn(visited, { path: '/tokens' });
  await page
    .getByRole('button', { name: t('token.create') })
    .first()
    .click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(t('word.name'), { exact: true }).fill(name);
  await dialog.getByRole('button', { name: t('token.create') }).click();
  const secret = (await dialog.getByTestId('token-secret').innerText()).trim();
  const ask = () =>
    fetch(`${demo.portal_url}/api/v1/services`, { headers: { authorization: `Bearer ${secret}` } }).then(
      ({ status }) => status,
    );
  assert.equal(await ask(), 200);
  await dialog.getByRole('button', { name: t('token.done') }).click();
  const row = page.getByRole('row').filter({ hasText: name });
  await row.getByRole('button', { name: t('token.revoke') }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: t('token.revoke') })
    .click();
  await row.waitFor({ state: 'detached' });
  assert.equal(await ask(), 401);
  await visited.end();
});

async function shownName() {
  const session = await api('GET', '/session');
  return session.user.display_name || session.user.name;
}
