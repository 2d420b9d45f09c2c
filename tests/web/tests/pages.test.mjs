// Every page: nothing to complain of, nothing untranslated, accessible; in both languages, wide and narrow, light and dark.
import { after, before, describe, test } from 'node:test';
import { enter, launch, picture, visit } from '../lib/browser.mjs';
import { demo } from '../lib/settings.mjs';
import { assertWhole } from '../lib/whole.mjs';
import { languages } from '../lib/words.mjs';

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
  'project-storage': '/projects/demo/storage?environment=production',
  'project-usage': '/projects/demo/usage',
  audit: '/audit',
  tokens: '/tokens',
  users: '/company/users',
  user: `/company/users/${demo.admin_user}`,
  bindings: '/company/bindings',
  roles: '/company/roles',
  locks: '/company/locks',
  prices: '/company/prices',
  sessions: '/sessions',
  password: '/password',
  'not-found': '/there/is/no/such/page',
};

/** What colours decide; nothing else differs between light and dark. */
const OF_COLOURS = ['color-contrast', 'link-in-text-block'];

/** In each language the first is what a page is opened in, and the others what it is turned into. */
const LOOKS = /** @type {const} */ ({
  en: [
    { width: 1_280, theme: 'light' },
    { width: 1_280, theme: 'dark', rules: OF_COLOURS },
    { width: 390, theme: 'light' },
  ],
  zh: [
    { width: 390, theme: 'light' },
    { width: 1_280, theme: 'light' },
  ],
});

describe('every page', { concurrency: 2 }, () => {
  for (const language of languages) {
    test(`is whole in ${language}`, { timeout: 600_000 }, async (t_) => {
      const [{ width, theme }] = LOOKS[language];
      const visited = await visit(browser, { language, width, theme });
      const { page } = visited;
      await enter(visited);
      for (const [name, path] of Object.entries(PAGES)) {
        await t_.test(name, async () => {
          await page.goto(path);
          await page.getByRole('heading', { level: 1 }).first().waitFor();
          for (const { width, theme, ...only } of LOOKS[language]) {
            await page.setViewportSize({ width, height: 860 });
            await page.emulateMedia({ colorScheme: theme });
            await page.waitForFunction(() => !document.querySelector('[aria-busy="true"]'));
            await picture(page, `${language}-${width}-${theme}-${name}`);
            const look = `${path} in ${language}, ${width} px, ${theme}`;
            await assertWhole(page, look, 'rules' in only ? [...only.rules] : undefined);
          }
        });
      }
      await visited.end();
    });
  }
});
