// A browser that watches: whatever the page complains about fails the test that did not expect it.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';
import { adminCookie } from './api.mjs';
import { chromiumPath, demo, screenshots } from './settings.mjs';
import { wordsOf } from './words.mjs';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('playwright-core').Browser} Browser */
/** @typedef {import('./words.mjs').Language} Language */

export function launch() {
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--no-first-run',
    ],
  });
}

/**
 * @typedef {object} Visit
 * @property {Page} page
 * @property {import('./words.mjs').Words} t the portal's words in the visit's language
 * @property {(pattern: RegExp) => void} expect allows complaints that match
 * @property {() => Promise<void>} end closes it, and fails when the page complained
 */

/**
 * A dialog or a menu that has not begun to grow stands still, and a click then hits what is at that place while it grows:
 * each begins where its growth ends.
 */
function growAtOnce() {
  document.addEventListener('DOMContentLoaded', () => {
    const style = document.createElement('style');
    style.textContent = `[class*="ant-"]:is([class*="-appear"], [class*="-enter"]) {
      animation-duration: 1ms !important;
      animation-delay: -1ms !important;
    }`;
    document.head.append(style);
  });
}

/**
 * A fresh visitor: no cookies, nothing remembered.
 * @param {Browser} browser
 * @param {{ language?: Language, width?: number, height?: number, theme?: 'light' | 'dark', reducedMotion?: boolean }} [options]
 * @returns {Promise<Visit>}
 */
export async function visit(browser, options = {}) {
  const { language = 'en', width = 1_280, height = 860, theme = 'light', reducedMotion = false } = options;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    reducedMotion: reducedMotion ? 'reduce' : 'no-preference',
    baseURL: demo.portal_url,
  });
  context.setDefaultTimeout(20_000);
  await context.addInitScript((chosen) => localStorage.setItem('longshore.language', chosen), language);
  await context.addInitScript(growAtOnce);
  const page = await context.newPage();
  /** @type {string[]} */
  const complaints = [];
  /** @type {RegExp[]} */
  const expected = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') {
      complaints.push(`console ${message.type()}: ${message.text()} (${message.location().url})`);
    }
  });
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.stack ?? error.message}`));
  page.on('requestfailed', (request) => {
    // What a page asked for and no longer wants when it is left is aborted by the browser itself.
    if (request.failure()?.errorText === 'net::ERR_ABORTED') return;
    complaints.push(`request failed: ${request.method()} ${request.url()} ${request.failure()?.errorText}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) {
      complaints.push(`answered ${response.status()}: ${response.request().method()} ${response.url()}`);
    }
  });
  return {
    page,
    t: wordsOf(language),
    expect: (pattern) => expected.push(pattern),
    end: async () => {
      await context.close();
      const unexpected = complaints.filter(
        (complaint) => !expected.some((pattern) => pattern.test(complaint)),
      );
      assert.deepEqual(unexpected, []);
    },
  };
}

/** A fresh visitor's browser loads and compiles all of the portal first, which takes longer than anything later. */
const FIRST_LOAD = { timeout: 60_000 };

/** The frame of every page. @param {Pick<Visit, 'page' | 't'>} visit */
const frame = ({ page, t }) =>
  page
    .getByRole('navigation', { name: t('shell.navigation') })
    .or(page.getByRole('button', { name: t('shell.menu') }))
    .first();

/** Opens a page as the administrator, who is signed in already. @param {Visit} visit @param {string} [path] */
export async function enter(visit, path = '/') {
  const context = visit.page.context();
  await context.addCookies([{ ...(await adminCookie()), url: demo.portal_url }]);
  // The portal asks for a session only where somebody signed in before.
  await context.addInitScript(() => localStorage.setItem('longshore.signed_in', 'yes'));
  await visit.page.goto(path);
  await frame(visit).waitFor(FIRST_LOAD);
}

/** The page that asks who one is. @param {Pick<Visit, 'page' | 't'>} visit @param {string} path */
export async function openSignIn({ page, t }, path) {
  await page.goto(path);
  await page.getByLabel(t('session.username'), { exact: true }).waitFor(FIRST_LOAD);
}

/**
 * Opens a page through the sign-in page.
 * @param {Visit} visit
 * @param {{ user?: string, password?: string, path?: string }} [options]
 */
export async function signIn(visit, { user, password, path = '/' } = {}) {
  const { page, t } = visit;
  await openSignIn(visit, path);
  await page.getByLabel(t('session.username'), { exact: true }).fill(user ?? demo.admin_user);
  await page.getByLabel(t('session.password'), { exact: true }).fill(password ?? demo.admin_password);
  await page.getByRole('button', { name: t('session.sign_in'), exact: true }).click();
  await frame(visit).waitFor();
}

/** Chooses an option by its text. @param {Page} page @param {string} label @param {string} option */
export async function choose(page, label, option) {
  await page.getByRole('combobox', { name: label }).click();
  await page.locator('.ant-select-dropdown').getByTitle(option).filter({ visible: true }).first().click();
}

/**
 * A part of a longer test; a failure names it and leaves a picture. What comes after needs it, so it ends the test.
 * @param {Page} page @param {string} name @param {() => Promise<void>} body
 */
export async function step(page, name, body) {
  try {
    await body();
  } catch (error) {
    await picture(page, `failed-${name.replace(/\W+/g, '-')}`);
    throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/**
 * Waits until nothing moves any more: what is measured or painted in the middle of a fade has colours that nobody
 * sees. Three quiet frames in a row, since a dialog prepares its fade a frame before it begins; what turns for ever
 * (a state under way) is not waited for.
 * @param {Page} page
 */
export async function settled(page) {
  await page.evaluate(async () => {
    const isMoving = () =>
      document
        .getAnimations()
        .some(
          ({ playState, pending, effect }) =>
            (pending || playState === 'running') && effect?.getComputedTiming().endTime !== Infinity,
        );
    const end = performance.now() + 10_000;
    for (let quiet = 0; quiet < 3; quiet = isMoving() ? 0 : quiet + 1) {
      if (performance.now() > end) throw new Error('something on the page still moves after 10 s');
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  });
}

/**
 * Nothing that a screen reader or a keyboard would stumble over.
 * @param {Page} page @param {string} name
 * @param {string[]} [rules] only these of axe's
 */
export async function assertAccessible(page, name, rules) {
  await settled(page);
  const axe = new AxeBuilder({ page })
    .options({ resultTypes: ['violations'] })
    // The other mode evaluates the results in a page that it opens for that; the portal has no frames, which need it.
    .setLegacyMode();
  if (rules) axe.withRules(rules);
  const { violations } = await axe.analyze();
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`,
  );
  assert.deepEqual(found, [], `axe on ${name}`);
  assert.deepEqual(await page.evaluate(skippedInDialogs), [], `the headings of dialogs on ${name}`);
}

/**
 * In the page: headings in dialogs that skip a level. axe takes what is behind a dialog for what comes before it; what
 * it is called is the first level in it.
 */
function skippedInDialogs() {
  return Array.from(document.querySelectorAll('[role="dialog"]')).flatMap((dialog) => {
    let above = 1;
    return Array.from(dialog.querySelectorAll('h1, h2, h3, h4, h5, h6')).flatMap((heading) => {
      const level = Number(heading.tagName.slice(1));
      const skips = level > above + 1;
      above = level;
      return skips ? [`${heading.tagName} ${heading.textContent}`] : [];
    });
  });
}

/** @param {Page} page @param {string} name */
export async function picture(page, name) {
  if (!screenshots) return;
  mkdirSync(screenshots, { recursive: true });
  await settled(page);
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
}
