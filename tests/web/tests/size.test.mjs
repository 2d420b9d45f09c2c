// Ten thousand services and a hundred thousand containers: pages ask for as much and hold as much as with one full page.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../lib/api.mjs';
import { assertAccessible, enter, launch, picture, visit } from '../lib/browser.mjs';
import { makeLarge } from '../lib/large.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const PAGE = 50;
const STREAM = '**/api/v1/stream*';
/** What may differ between two sizes: longer numbers, a button that can be pressed. */
const SLACK = 20;

const elements = (/** @type {import('playwright-core').Page} */ page) =>
  page.evaluate(() => document.querySelectorAll('*').length);

/** @param {string} path @param {string} last the last of the first page @param {{ services: number, pods: number }} size */
async function open(path, last, size) {
  const visited = await visit(browser);
  // Nothing of the real platform stirs these lists.
  await visited.page.route(STREAM, () => undefined);
  const large = await makeLarge(visited.page, size);
  await enter(visited, path);
  await visited.page.getByText(last, { exact: true }).waitFor();
  return { visited, large };
}

for (const { kind, path, word, size } of /** @type {const} */ ([
  { kind: 'service', path: '/services', word: 'service.search', size: { services: 10_000, pods: 0 } },
  { kind: 'pod', path: '/containers', word: 'pod.search', size: { services: 10_000, pods: 100_000 } },
])) {
  const name = (/** @type {number} */ index) => `${kind}-${String(index).padStart(6, '0')}`;
  const total = kind === 'service' ? size.services : size.pods;

  test(`${total} ${kind}s are a list like one of ${PAGE}`, { timeout: 180_000 }, async () => {
    const few = await open(path, name(PAGE - 1), { services: PAGE, pods: PAGE });
    const asked = few.large.asked();
    const held = await elements(few.visited.page);
    await few.visited.end();

    const { visited, large } = await open(path, name(PAGE - 1), size);
    const { page, t } = visited;
    assert.deepEqual(large.asked(), asked, 'the same is asked for');
    const now = await elements(page);
    assert.ok(Math.abs(now - held) <= SLACK, `${now} elements, and ${held} with ${PAGE}`);
    await page.getByText(t('pager.range', { first: 1, last: PAGE, total })).waitFor();

    // One question for each step.
    const one = (/** @type {string} */ what) => {
      const questions = large.asked().filter((each) => !asked.includes(each));
      assert.equal(questions.length, 1, `${what}: ${questions.join(' ')}`);
    };
    await page.getByRole('button', { name: t('pager.next') }).click();
    await page.getByText(name(2 * PAGE - 1), { exact: true }).waitFor();
    one('another page');
    assert.ok(Math.abs((await elements(page)) - held) <= SLACK, 'a page further holds as much');
    await page.getByPlaceholder(t(word)).fill(name(total - 1));
    await page.getByText(name(total - 1), { exact: true }).waitFor();
    await page.getByText(name(2 * PAGE - 1), { exact: true }).waitFor({ state: 'detached' });
    one('a filter');

    // A project that is far down the list is found by its name, and few are held.
    await page.getByRole('combobox', { name: t('word.project') }).click();
    await page.getByTitle('project-000000').waitFor();
    one('the projects');
    assert.ok((await elements(page)) < held + 100, 'a list that is open holds few');
    await page.keyboard.insertText('project-009999');
    await page.getByTitle('project-009999').click();
    await page.getByRole('button', { name: t('filter.remove', { label: t('word.project') }) }).waitFor();
    assert.equal(new URL(page.url()).searchParams.get('project'), 'project-009999');
    await visited.end();
  });
}

test(
  'a place among ten thousand projects and a hundred clusters is found by keyboard',
  { timeout: 240_000 },
  async () => {
    const visited = await visit(browser);
    const { page, t } = visited;
    await page.route(STREAM, () => undefined);
    const large = await makeLarge(page, { services: 10_000, pods: 0 });
    await enter(visited, '/services/new');
    const box = (/** @type {string} */ name) => page.getByRole('combobox', { name, exact: true });
    await box(t('word.project')).waitFor();
    const held = await elements(page);

    // The arrow opens, what is typed is searched by the server, and Enter takes the first that is found.
    await box(t('word.project')).focus();
    await page.keyboard.press('ArrowDown');
    await page.getByText(t('filter.more', { shown: PAGE, total: 10_000 })).waitFor();
    assert.ok((await elements(page)) < held + 150, 'a list that is open holds few');
    await page.keyboard.type('project-009999');
    await page.locator('.ant-select-dropdown').getByTitle('project-009999').waitFor();
    await page.keyboard.press('Enter');
    await until('the environments are there', () => box(t('word.environment')).isEnabled(), Boolean);

    // A number for each cluster that is named, and not for all that there are.
    await page.getByRole('radio', { name: t('placement.pinned') }).press('Space');
    const add = box(t('service_form.add_cluster'));
    for (const name of ['cluster-000099', 'cluster-000042']) {
      await add.focus();
      await page.keyboard.type(name);
      await page.locator('.ant-select-dropdown').getByTitle(name).filter({ visible: true }).waitFor();
      await page.keyboard.press('Enter');
      await page.getByRole('spinbutton', { name }).waitFor();
    }
    await picture(page, 'service-form-pinned');
    await assertAccessible(page, 'numbers by cluster');
    const remove = t('form.remove_row', { noun: t('word.cluster'), number: 1 });
    await page.getByRole('button', { name: remove }).press('Enter');
    await page.getByRole('spinbutton', { name: 'cluster-000042' }).waitFor({ state: 'detached' });
    assert.equal(await page.getByRole('spinbutton', { name: 'cluster-000099' }).inputValue(), '1');
    for (const asked of large.asked()) {
      const most = Number(new URLSearchParams(asked.split('?')[1]).get('limit') ?? 50);
      assert.ok(most <= 50, asked);
    }
    await visited.end();
  },
);

test('the overview of ten thousand services asks for what it shows', { timeout: 240_000 }, async () => {
  const { visited, large } = await open('/', 'service-000019', { services: 10_000, pods: 0 });
  const { page, t } = visited;
  await page.getByText('cluster-000099').first().waitFor();
  const attention = page.getByRole('list', { name: t('overview.attention') }).getByRole('listitem');
  assert.equal(await attention.count(), 20);
  const asked = large.asked();
  assert.ok(asked.length <= 25, `${asked.length} questions: ${asked.join(' ')}`);
  const held = await elements(page);
  assert.ok(held < 8_000, `${held} elements`);
  await visited.end();
});

test('two thousand changes at once are read as one', { timeout: 240_000 }, async () => {
  const visited = await visit(browser);
  const { page } = visited;
  /** @type {import('playwright-core').Route[]} */
  const streams = [];
  await page.route(STREAM, (route) => void streams.push(route));
  const large = await makeLarge(page, { services: 10_000, pods: 0 });
  await enter(visited, '/services');
  await page.getByText('service-000000', { exact: true }).waitFor();
  large.times('services');
  large.note('by-all-of-them');
  const changes = Array.from({ length: 2_000 }, (_, index) => {
    const change = {
      topic: index % 2 ? 'services' : 'workloads',
      project: 'demo',
      environment: 'production',
      service: `service-${String(index).padStart(6, '0')}`,
      cursor: `1:${index}`,
      at: new Date().toISOString(),
    };
    return `event: change\ndata: ${JSON.stringify(change)}\n\n`;
  });
  // It ends after them, and the next connection stays silent.
  await streams[0]?.fulfill({ contentType: 'text/event-stream', body: changes.join('') });
  await page.getByText('by-all-of-them').waitFor();
  const times = large.times('services');
  assert.ok(times <= 3, `the list was read ${times} times`);
  await visited.end();
});
