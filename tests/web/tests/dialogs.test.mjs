// Every dialog that asks before something is done, as it opens: accessible, headed, translated, no wider than the window.
// Those that other tests fill in are looked at there.
import { after, before, describe, test } from 'node:test';
import { enter, launch, picture, visit } from '../lib/browser.mjs';
import { demo } from '../lib/settings.mjs';
import { assertWhole } from '../lib/whole.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** On each page: the button that opens a dialog, or the one of a menu and the entry in it. */
const DIALOGS = /** @type {Record<string, string[][]>} */ ({
  '/projects/demo/environments/production/services/web': [
    ['service.upgrade'],
    ['service.scale'],
    ['service.more_actions', 'service.restart'],
    ['service.more_actions', 'action.delete'],
  ],
  [`/clusters/${demo.clusters[0]?.name}`]: [
    ['cluster.cordon'],
    ['action.edit'],
    ['cluster.more_actions', 'cluster.replace_kubeconfig'],
    ['cluster.more_actions', 'cluster.remove'],
  ],
  '/projects/demo': [['project.create_environment']],
  '/tokens': [['token.create']],
});

describe('every dialog', { concurrency: 2 }, () => {
  for (const [language, width, theme] of /** @type {const} */ ([
    ['en', 1_280, 'light'],
    ['zh', 390, 'dark'],
  ])) {
    test(`is whole in ${language}, ${width} px, ${theme}`, { timeout: 180_000 }, async () => {
      const visited = await visit(browser, { language, width, theme });
      const { page, t } = visited;
      await enter(visited);
      for (const [path, openers] of Object.entries(DIALOGS)) {
        await page.goto(path);
        for (const [button = '', entry] of openers) {
          await page
            .getByRole('button', { name: t(button), exact: true })
            .first()
            .click();
          if (entry) await page.getByRole('menuitem', { name: t(entry) }).click();
          const dialog = page.getByRole('dialog');
          await dialog.waitFor();
          await page.waitForFunction(() => !document.querySelector('[aria-busy="true"]'));
          await picture(page, `dialog-${language}-${entry ?? button}`);
          await assertWhole(page, `${entry ?? button} on ${path} in ${language}`);
          await page.keyboard.press('Escape');
          await dialog.waitFor({ state: 'hidden' });
        }
      }
      await visited.end();
    });
  }
});
