// Who asks for less motion gets none, and everything opens where it belongs all the same.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../lib/api.mjs';
import { enter, launch, picture, visit } from '../lib/browser.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** How far a list may be from its field, in pixels. */
const BESIDE = 16;

/**
 * Opens a drop-down, sees its list in the window and at its field, and chooses the first that it offers.
 * @param {import('playwright-core').Page} page @param {import('playwright-core').Locator} field
 */
async function opensAtItsPlace(page, field) {
  await field.click();
  const list = page.locator('.ant-select-dropdown').filter({ visible: true });
  const option = list.locator('.ant-select-item-option').first();
  await option.waitFor();
  const size = page.viewportSize();
  const select = field.locator('xpath=ancestor::*[contains(concat(" ", @class, " "), " ant-select ")]');
  await until(
    'the list to be in the window, at its field',
    async () => ({ list: await list.boundingBox(), field: await select.boundingBox() }),
    ({ list, field }) => {
      if (!list || !field || !size) return false;
      const inside =
        list.x >= 0 &&
        list.y >= 0 &&
        list.x + list.width <= size.width &&
        list.y + list.height <= size.height;
      const below = Math.abs(list.y - (field.y + field.height));
      const above = Math.abs(field.y - (list.y + list.height));
      return inside && Math.min(below, above) <= BESIDE;
    },
    10,
  );
  await picture(page, `motion-${size?.width}-${(await field.getAttribute('id')) ?? 'filter'}`);
  await option.click();
  await list.waitFor({ state: 'hidden' });
}

/** What still moves, of what comes to an end. A colour that fades moves nothing. @param {import('playwright-core').Page} page */
const moving = (page) =>
  page.evaluate(() =>
    document.getAnimations().flatMap((animation) => {
      const { playState, effect } = animation;
      if (playState !== 'running' || effect?.getComputedTiming().endTime === Infinity) return [];
      const what =
        animation instanceof CSSTransition
          ? animation.transitionProperty
          : String(/** @type {CSSAnimation} */ (animation).animationName);
      const where = /** @type {KeyframeEffect} */ (effect).target?.className ?? '';
      return /color|shadow|fill|stroke/u.test(what) ? [] : [`${what} of ${where}`];
    }),
  );

for (const [language, width] of /** @type {const} */ ([
  ['en', 1_280],
  ['zh', 390],
])) {
  test(
    `lists, dialogs and drawers open at once and in place, in ${language} at ${width} px`,
    { timeout: 180_000 },
    async () => {
      const visited = await visit(browser, { language, width, reducedMotion: true });
      const { page, t } = visited;
      const dialog = page.getByRole('dialog');
      await enter(visited, '/company/bindings');
      await opensAtItsPlace(page, page.getByRole('combobox', { name: t('company.place') }));

      // In a dialog, twice: the second time everything is there already.
      for (let time = 0; time < 2; time += 1) {
        await page.getByRole('button', { name: t('company.give'), exact: true }).click();
        await dialog.waitFor();
        assert.deepEqual(await moving(page), []);
        await opensAtItsPlace(page, dialog.getByRole('combobox', { name: t('company.role') }));
        await dialog.getByRole('button', { name: t('action.cancel'), exact: true }).click();
        await dialog.waitFor({ state: 'hidden' });
      }

      // In a long page, near its end.
      await page.goto('/services/new?project=demo&environment=test');
      await opensAtItsPlace(page, page.getByRole('combobox', { name: t('word.project') }));
      await opensAtItsPlace(page, page.getByRole('combobox', { name: t('service_form.priority') }));

      await page.goto('/audit');
      await page.getByRole('row').getByRole('button').first().click();
      await dialog.getByRole('heading').first().waitFor();
      assert.deepEqual(await moving(page), []);
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'hidden' });
      await visited.end();
    },
  );
}

test('what was typed stays when the system asks for less motion meanwhile', { timeout: 60_000 }, async () => {
  const visited = await visit(browser);
  const { page, t } = visited;
  await enter(visited, '/services/new?project=demo&environment=test');
  const name = page.getByLabel(t('word.name'), { exact: true });
  await name.fill('half-written');
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
  );
  assert.equal(await name.inputValue(), 'half-written');
  await visited.end();
});
