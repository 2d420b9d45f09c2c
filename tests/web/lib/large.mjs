// A platform of any size in place of the real one, for what a page reads in lists: made page by page as it is asked for,
// in the shapes that the real one has.
import { api, servicesPath } from './api.mjs';
import { place } from './settings.mjs';

/** @typedef {Record<string, any>} Item */

const LISTED = /\/api\/v1\/(services|pods|projects|clusters|operations|overview)(\?|$)/;
const ONE_PROJECT = /\/api\/v1\/projects\/project-\d+$/;

/**
 * @typedef {object} Large
 * @property {() => string[]} asked what was asked for since the last call, each once
 * @property {(path: string) => number} times how often a list was asked for since it was last cleared
 * @property {(note: string) => void} note changes the first service, to be seen in its image
 */

/** @param {string} prefix @param {number} index */
const nameOf = (prefix, index) => `${prefix}-${String(index).padStart(6, '0')}`;

/**
 * @param {import('playwright-core').Page} page
 * @param {{ services: number, pods: number }} size
 * @returns {Promise<Large>}
 */
export async function makeLarge(page, size) {
  const web = servicesPath(place, 'web');
  const [service, pod, cluster, project, overview] = await Promise.all([
    api('GET', web),
    api('GET', `${web}/pods?limit=1`).then(({ items }) => items[0]),
    api('GET', '/clusters?limit=1').then(({ items }) => items[0]),
    api('GET', '/projects?limit=1').then(({ items }) => items[0]),
    api('GET', '/overview'),
  ]);
  let image = service.image;
  /** @type {Record<string, { count: number, make: (index: number) => Item }>} */
  const lists = {
    services: {
      count: size.services,
      make: (index) => ({
        ...service,
        id: nameOf('id', index),
        name: nameOf('service', index),
        image: index === 0 ? image : service.image,
      }),
    },
    pods: { count: size.pods, make: (index) => ({ ...pod, name: nameOf('pod', index) }) },
    projects: {
      count: size.services,
      make: (index) => ({ ...project, id: nameOf('id', index), name: nameOf('project', index) }),
    },
    clusters: {
      count: 100,
      make: (index) => ({ ...cluster, id: nameOf('id', index), name: nameOf('cluster', index) }),
    },
    operations: { count: 0, make: () => ({}) },
  };
  /** @type {string[]} */
  let asked = [];
  /** @type {Map<string, number>} */
  const times = new Map();

  await page.route(LISTED, (route) => {
    const url = new URL(route.request().url());
    const path = url.pathname.replace('/api/v1/', '');
    asked.push(`${path}${url.search}`);
    times.set(path, (times.get(path) ?? 0) + 1);
    const list = lists[path];
    return route.fulfill({ json: list ? pageOf(list, url.searchParams) : overviewOf() });
  });

  await page.route(ONE_PROJECT, (route) => {
    const name = new URL(route.request().url()).pathname.split('/').at(-1);
    return route.fulfill({ json: { ...project, name } });
  });

  function overviewOf() {
    const failed = Math.floor(size.services / 2);
    const attention = Array.from({ length: 20 }, (_, index) => ({
      ...lists.services?.make(index),
      status: { ...service.status, state: 'failed' },
    }));
    const clusters = Array.from({ length: 100 }, (_, index) => lists.clusters?.make(index));
    return {
      ...overview,
      services: {
        running: size.services - failed,
        failed,
        progressing: 0,
        degraded: 0,
        stopped: 0,
        unknown: 0,
      },
      attention,
      clusters,
    };
  }

  return {
    asked: () => {
      const once = [...new Set(asked)].sort();
      asked = [];
      return once;
    },
    times: (path) => {
      const count = times.get(path) ?? 0;
      times.delete(path);
      return count;
    },
    note: (text) => {
      image = `registry.example/changed:${text}`;
    },
  };
}

/** @param {{ count: number, make: (index: number) => Item }} list @param {URLSearchParams} query */
function pageOf({ count, make }, query) {
  const limit = Number(query.get('limit') ?? 50);
  const from = Number(query.get('cursor') ?? 0);
  const q = query.get('q') ?? '';
  const descending = query.get('sort')?.startsWith('-') ?? false;
  /** @type {Item[]} */
  const found = [];
  let total = 0;
  for (let at = 0; at < count; at += 1) {
    const index = descending ? count - 1 - at : at;
    if (q && !make(index).name.includes(q)) continue;
    total += 1;
    if (total > from && found.length < limit) found.push(make(index));
    if (!q && found.length === limit) {
      total = count;
      break;
    }
  }
  return {
    items: found,
    next_cursor: from + found.length < total ? String(from + found.length) : undefined,
    total_estimate: total,
    gaps: [],
  };
}
