// What holds for everything that the portal shows, in any look.
import assert from 'node:assert/strict';
import { assertAccessible } from './browser.mjs';

/** Words by their keys, as they are shown when they have no translation. */
const KEYS =
  /\b(?:service|service_form|autoscaling|evacuation|failback|singleton|witness|cluster|state|word|pod|log|audit|overview|error|company|sessions|password|token|project)\.[a-z_]+\b/g;

/**
 * Accessible, every word there, nothing wider than the window.
 * @param {import('playwright-core').Page} page @param {string} name
 * @param {string[]} [rules] only these of axe's
 */
export async function assertWhole(page, name, rules) {
  await assertAccessible(page, name, rules);
  const text = await page.locator('body').innerText();
  assert.deepEqual(text.match(KEYS) ?? [], [], `every word of ${name} is translated`);
  assert.doesNotMatch(text, /\{\{|\bundefined\b|\bNaN\b|\[object /, name);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(overflow <= 0, `${name} is ${overflow} px wider than the window`);
}
