// What the tests are told about the running platform, by `run` or by whoever starts them alone.
import { readFileSync } from 'node:fs';

const file = process.env.LONGSHORE_WEB_TEST_DEMO;
if (!file) throw new Error('LONGSHORE_WEB_TEST_DEMO must name the demo.json of a running `longshore demo`');

/**
 * @type {{
 *   portal_url: string, admin_user: string, admin_password: string, admin_token: string,
 *   clusters: { name: string, region: string, kubeconfig: string }[],
 *   simulation_url: string,
 *   images?: { first: string, second: string, missing: string },
 * }}
 */
export const demo = JSON.parse(readFileSync(file, 'utf8'));

/** Images that the clusters can run, and one that they can't pull. */
export const images = demo.images ?? {
  first: 'registry.example/tests/web:1.0',
  second: 'registry.example/tests/web:2.0',
  missing: 'missing.example/tests/web:3.0',
};

export const chromiumPath = process.env.LONGSHORE_WEB_TEST_CHROMIUM ?? '/usr/bin/chromium';

/** The kubeconfig of a cluster that runs, and that the demo does not know. */
export const spareKubeconfig = process.env.LONGSHORE_WEB_TEST_SPARE_KUBECONFIG;

/** Where pictures of every page go; none are taken without it. */
export const screenshots = process.env.LONGSHORE_WEB_TEST_SCREENSHOTS;

/** The seeded place that the tests make their services in; it spans every cluster. */
export const place = { project: 'demo', environment: 'production' };

/** A name that no other run used. @param {string} stem */
export function freshName(stem) {
  return `${stem}-${Date.now().toString(36)}${Math.floor(Math.random() * 1_296).toString(36)}`;
}
