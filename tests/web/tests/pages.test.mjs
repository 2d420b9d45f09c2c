// Every page: nothing to complain of, nothing untranslated, accessible; in both languages, wide and narrow.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertAccessible, launch, picture, signIn, visit } from '../lib/browser.mjs';
import { demo } from '../lib/settings.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const web = '/projects/demo/environments/production/services/web';
const importer = '/projects/demo/environments/test/services/importer';
const reports = '/projects/demo/environments/test/services/reports';
const cluster = demo.clusters[0]?.name ?? '';

const PAGES = {
  overview: '/',
  operations: '/operations',
  services: '/services',
  'services-filtered': '/services?project=demo&state=running,failed,progressing,degraded',
  'services-none': '/services?q=there-is-none-of-this-name',
  'service-create': '/services/new?project=demo&environment=test',
  'service-create-yaml': '/services/new?project=demo&environment=test&as=yaml',
  'service-running': web,
  'service-crashing': importer,
  'service-without-image': reports,
  'service-logs': `${web}/logs`,
  'service-events': `${importer}/events`,
  'service-revisions': `${web}/revisions`,
  'service-configuration': `${web}/configuration`,
  'service-autoscaling': `${web}/autoscaling`,
  'service-operations': `${web}/operations`,
  'service-edit': `${web}/edit`,
  'service-edit-yaml': `${web}/edit?as=yaml`,
  containers: '/containers',
  clusters: '/clusters',
  'cluster-register': '/clusters/new',
  cluster: `/clusters/${cluster}`,
  projects: '/projects',
  'project-create': '/projects?create',
  project: '/projects/demo',
  audit: '/audit',
  tokens: '/tokens',
  users: '/company/users',
  user: `/company/users/${demo.admin_user}`,
  bindings: '/company/bindings',
  roles: '/company/roles',
  locks: '/company/locks',
  sessions: '/sessions',
  password: '/password',
  'not-found': '/there/is/no/such/page',
};

const LOOKS = /** @type {const} */ ([
  { language: 'en', width: 1_280, theme: 'light' },
  { language: 'en', width: 390, theme: 'light' },
  { language: 'en', width: 1_280, theme: 'dark' },
  { language: 'zh', width: 1_280, theme: 'light' },
  { language: 'zh', width: 390, theme: 'light' },
]);

describe('every page', { concurrency: 2 }, () => {
  for (const { language, width, theme } of LOOKS) {
    test(`is whole in ${language}, ${width} px, ${theme}`, { timeout: 300_000 }, async (t_) => {
      const visited = await visit(browser, { language, width, theme });
      const { page } = visited;
      await signIn(visited);
      for (const [name, path] of Object.entries(PAGES)) {
        await t_.test(name, async () => {
          await page.goto(path);
          await page.getByRole('heading', { level: 1 }).first().waitFor();
          await page.waitForFunction(() => !document.querySelector('[aria-busy="true"]'));
          await picture(page, `${language}-${width}-${theme}-${name}`);
          await assertAccessible(page, `${path} in ${language}, ${width} px, ${theme}`);
          const text = await page.locator('body').innerText();
          const keys = text.match(
            /\b(?:service|service_form|autoscaling|cluster|state|word|pod|log|audit|overview|error|company|sessions|password|token|project)\.[a-z_]+\b/g,
          );
          assert.deepEqual(keys ?? [], [], 'every word is translated');
          assert.doesNotMatch(text, /\{\{|\bundefined\b|\bNaN\b|\[object /);
          const overflow = await page.evaluate(
            () => document.documentElement.scrollWidth - window.innerWidth,
          );
          assert.ok(overflow <= 0, `the page is ${overflow} px wider than the window`);
        });
      }
      await visited.end();
    });
  }
});
