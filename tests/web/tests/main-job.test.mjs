// The main job, as a team does it in the browser: a service on both clusters from creation to deletion.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { api, servicesPath, until } from '../lib/api.mjs';
import { assertAccessible, choose, launch, picture, signIn, step, visit } from '../lib/browser.mjs';
import { demo, freshName, images, place } from '../lib/settings.mjs';
import { containing, languages } from '../lib/words.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const RUNNING = { timeout: 60_000 };
// A kubelet may take its minute to notice that a pod whose image never came is to go.
const GONE = { timeout: 150_000 };

/** As lists show it, without where it comes from. @param {string} image */
const shortImage = (image) => image.slice(image.lastIndexOf('/') + 1);

for (const language of languages) {
  describe(`the main job in ${language}`, () => {
    const name = freshName(`web-${language}`);

    test('from an image to two clusters, through a bad upgrade and back', { timeout: 400_000 }, async () => {
      const visited = await visit(browser, { language });
      const { page, t } = visited;
      const state = (/** @type {string} */ word) =>
        page.locator('h1 + [data-state]', { hasText: t(`state.service.${word}`) });

      await step(page, 'sign in', async () => {
        await page.goto('/');
        await page.getByRole('heading', { name: t('session.sign_in_title') }).waitFor();
        await picture(page, `${language}-sign-in`);
        await signIn(visited);
        await page.getByRole('heading', { level: 1 }).waitFor();
      });

      await step(page, 'create a service', async () => {
        await page.getByRole('link', { name: t('menu.services'), exact: true }).click();
        // An empty list offers the same once more.
        await page
          .getByRole('button', { name: t('service.create') })
          .first()
          .click();
        await page.getByRole('heading', { level: 1, name: t('service.create') }).waitFor();
        await choose(page, t('word.project'), `${place.project} · Demo`);
        await choose(page, t('word.environment'), place.environment);
        await page.getByLabel(t('word.name'), { exact: true }).fill(name);
        await page.getByLabel(t('word.image'), { exact: true }).fill(images.first);
        await page.getByRole('button', { name: '0.25 · 256Mi' }).click();
        await page.getByRole('button', { name: t('service_form.add_port') }).click();
        await page.getByLabel(t('word.replicas'), { exact: true }).fill('4');
        for (const cluster of demo.clusters) {
          await page.getByRole('complementary').getByText(cluster.name, { exact: true }).waitFor();
        }
        await picture(page, `${language}-create-filled`);
        await page.getByRole('button', { name: t('service.create') }).click();
        await page.getByRole('heading', { level: 1, name }).waitFor();
      });

      await step(page, 'see it ready on both clusters', async () => {
        await state('running').waitFor(RUNNING);
        const where = page.getByRole('region', { name: t('assignment.title') });
        for (const cluster of demo.clusters) {
          const row = where.getByRole('row').filter({ hasText: cluster.name });
          await row
            .getByText(t('service.replicas_ready', { ready: 2, wanted: 2, count: 2 }))
            .waitFor({ state: 'attached' });
          await row.getByText(t('state.sync.synced')).waitFor();
        }
        const pods = page.getByRole('region', { name: t('menu.containers') });
        await until(
          'four pods in the list',
          () => pods.getByRole('row').filter({ hasText: name }).count(),
          (count) => count === 4,
        );
        await picture(page, `${language}-service-running`);
      });

      await step(page, 'upgrade', async () => {
        await upgrade(images.second);
        await page.getByText(shortImage(images.second)).first().waitFor();
        await until(
          'revision 2 running',
          () => api('GET', servicesPath(place, name)),
          ({ revision, status }) => revision === 2 && status.state === 'running' && status.updated === 4,
        );
        await state('running').waitFor(RUNNING);
      });

      await step(page, 'see a bad upgrade explained', async () => {
        await upgrade(images.missing);
        const wrong = page.getByRole('region', { name: t('service.what_is_wrong') });
        await wrong.getByText(t('problem.name.ImagePullBackOff')).first().waitFor(RUNNING);
        await wrong.getByText(t('problem.what_to_do')).first().waitFor();
        await wrong
          .getByRole('link', { name: t('problem.see_revisions') })
          .first()
          .waitFor();
        await picture(page, `${language}-bad-upgrade`);
        const { status } = await api('GET', servicesPath(place, name));
        assert.ok(status.ready >= 3, `the old replicas go on: ${JSON.stringify(status)}`);
      });

      await step(page, 'roll back', async () => {
        await page
          .getByRole('link', { name: t('problem.see_revisions') })
          .first()
          .click();
        const second = page.getByRole('row').filter({ hasText: shortImage(images.second) });
        await second.getByRole('button', { name: t('revision.roll_back') }).click();
        const dialog = page.getByRole('dialog');
        await dialog.getByText(images.missing).first().waitFor();
        await assertAccessible(page, 'what rolling back changes');
        await picture(page, `${language}-roll-back`);
        await dialog.getByRole('button', { name: t('revision.roll_back') }).click();
        await dialog.waitFor({ state: 'hidden' });
        await state('running').waitFor(RUNNING);
        const service = await api('GET', servicesPath(place, name));
        assert.equal(service.revision, 2);
        assert.equal(service.status.ready, 4);
      });

      await step(page, 'read the log and follow it', async () => {
        await page
          .getByRole('navigation', { name: t('service.parts') })
          .getByRole('link', { name: t('service.tab_logs') })
          .click();
        const log = page.getByRole('log');
        await log.waitFor();
        await page.getByText(t('log.state_following')).waitFor();
        const text = await log.innerText();
        assert.ok(text.trim().length > 0, 'the log has lines');
        await picture(page, `${language}-log`);
        await page.getByRole('button', { name: t('log.pause') }).click();
        await page.getByRole('button', { name: t('log.resume') }).waitFor();
      });

      await step(page, 'delete it by typing its name', async () => {
        await page.getByRole('button', { name: t('service.more_actions') }).click();
        await page.getByRole('menuitem', { name: t('action.delete') }).click();
        const dialog = page.getByRole('dialog');
        const confirm = dialog.getByRole('button', { name: t('action.delete') });
        assert.equal(await confirm.isDisabled(), true);
        await dialog.getByRole('textbox').fill(name);
        // The page asks once more for what is gone, and says so.
        visited.expect(/404.*\/(services|pods)\/|\/pods\/.*404/);
        await confirm.click();
        await page.getByRole('heading', { name: t('service.gone_title', { name }) }).waitFor(GONE);
      });

      await visited.end();

      /** @param {string} image */
      async function upgrade(image) {
        await page.getByRole('button', { name: t('service.upgrade'), exact: true }).click();
        const dialog = page.getByRole('dialog');
        await dialog.getByLabel(t('word.image'), { exact: true }).fill(image);
        await dialog.getByRole('button', { name: t('service.upgrade'), exact: true }).click();
        await dialog.waitFor({ state: 'hidden' });
        await page
          .getByText(containing(t('service.upgrade_started', { name })))
          .first()
          .waitFor();
      }
    });
  });
}
