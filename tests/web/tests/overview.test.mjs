// The overview: is anything wrong, where, since when, and what changed just before.
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

test('what is wrong names what was done to it just before', { timeout: 240_000 }, async () => {
  const name = freshName('broken');
  const rollout = {
    progress_deadline_seconds: 10,
    max_unavailable: '0',
    max_surge: '25%',
    min_ready_seconds: 0,
  };
  await runService(name, { spec: { rollout } });
  await api('POST', `${servicesPath(place, name)}/releases`, {
    body: { image: 'missing.example/tests/web:2' },
  });
  await until(
    `${name} is in trouble`,
    () => api('GET', '/overview'),
    ({ attention }) => attention.some((/** @type {{ name: string }} */ each) => each.name === name),
    120,
  );
  for (const [language, width] of /** @type {const} */ ([
    ['en', 1_280],
    ['zh', 390],
  ])) {
    const visited = await visit(browser, { language, width });
    const { page, t } = visited;
    await enter(visited);
    const row = page
      .getByRole('list', { name: t('overview.attention') })
      .getByRole('listitem')
      .filter({ hasText: name });
    const suspect = row.getByRole('link', {
      name: t('operation.kind.release_service_revision', { revision: 2 }),
    });
    await suspect.waitFor();
    await assertAccessible(page, 'the overview with something wrong');
    await picture(page, `overview-wrong-${language}`);
    await suspect.click();
    await page.getByRole('heading', { level: 1, name }).waitFor();
    await visited.end();
  }
  await api('DELETE', servicesPath(place, name));
});
