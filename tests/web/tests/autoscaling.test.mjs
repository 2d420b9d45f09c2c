// A policy of autoscaling in the portal: set, seen at work under load, in the way of scaling by hand, taken away.
import { after, before, test } from 'node:test';
import { api, servicesPath, until } from '../lib/api.mjs';
import { assertAccessible, launch, picture, signIn, visit } from '../lib/browser.mjs';
import { freshName, place } from '../lib/settings.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test('a policy is set, scales under load, and is taken away', { timeout: 600_000 }, async () => {
  const visited = await visit(browser);
  const { page, t } = visited;
  const name = freshName('busy');
  const path = servicesPath(place, name);
  const resources = { cpu_request: '100m', cpu_limit: '200m', memory_request: '32Mi', memory_limit: '64Mi' };
  const spec = { image: 'registry.example/tests/web:1', ports: [{ name: 'http', port: 8080 }], resources };
  await api('POST', servicesPath(place), { body: { name, replicas: 2, spec } });
  await until(
    'the service to run',
    () => api('GET', path),
    (service) => service.status.state === 'running',
  );

  await signIn(visited, { path: `${path}/autoscaling` });
  await page.getByText(t('autoscaling.empty_title')).waitFor();
  // 100 millicores for each of two replicas: twice the target.
  await page.getByLabel(t('simulation.requests_per_second')).fill('40');
  await page.getByLabel(t('simulation.ramp_seconds')).fill('0');
  await page.getByRole('button', { name: t('simulation.apply'), exact: true }).click();
  await page.getByText(t('simulation.now', { rate: '40' })).waitFor();
  await page.getByRole('button', { name: t('autoscaling.set'), exact: true }).click();
  const dialog = page.getByRole('dialog');
  await assertAccessible(page, 'the form of a policy');
  visited.expect(/\/autoscaling/);
  await dialog.getByLabel(t('autoscaling.max')).first().fill('1');
  // Its icon of work under way leaves a little later than the work ends.
  const save = dialog.getByRole('button', { name: new RegExp(`${t('action.save')}$`) });
  await save.click();
  await dialog.getByText('must not be less than the minimum').first().waitFor();
  await dialog.getByLabel(t('autoscaling.max')).first().fill('5');
  await dialog.getByLabel(t('autoscaling.target_each')).first().fill('50');
  await save.click();
  await dialog.waitFor({ state: 'hidden' });
  await page.locator(`[data-state="${t('autoscaling.mode_active')}"]`).waitFor();

  const scaled = page.locator(`[data-state="${t('autoscaling.outcome_scaled')}"]`).first();
  await scaled.waitFor({ timeout: 180_000 });
  await page.getByRole('img', { name: new RegExp(t('autoscaling.chart_replicas')) }).waitFor();
  await picture(page, 'autoscaling-scaled');
  await assertAccessible(page, 'a policy at work');
  const grown = await until(
    'more replicas',
    () => api('GET', path),
    (service) => service.replicas > 2,
  );
  if (grown.replicas > 5) throw new Error(`${grown.replicas} replicas are more than the policy lets it have`);

  // Another policy is tried on what there was, and not set.
  await page
    .getByRole('button', { name: t('action.edit'), exact: true })
    .last()
    .click();
  await dialog.getByLabel(t('autoscaling.target_each')).first().fill('10');
  await dialog.getByRole('button', { name: new RegExp(`${t('autoscaling.preview')}$`) }).click();
  const preview = dialog.getByRole('region', { name: t('autoscaling.preview'), exact: true });
  await preview.getByText(t('autoscaling.preview_hours'), { exact: true }).waitFor();
  await preview.getByRole('img', { name: new RegExp(t('autoscaling.preview_ran')) }).waitFor();
  await picture(page, 'autoscaling-preview');
  await assertAccessible(page, 'the preview of a policy');
  await dialog.getByLabel(t('autoscaling.target_each')).first().fill('20');
  await preview.waitFor({ state: 'hidden' });
  await dialog.getByRole('button', { name: t('action.cancel'), exact: true }).click();
  await dialog.waitFor({ state: 'hidden' });

  await page.getByRole('button', { name: t('service.scale'), exact: true }).click();
  await page.getByRole('dialog').getByText(t('autoscaling.set_by_policy')).waitFor();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: t('action.cancel'), exact: true })
    .click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });

  await page.getByRole('button', { name: t('autoscaling.remove'), exact: true }).click();
  await page
    .getByRole('tooltip')
    .getByRole('button', { name: t('autoscaling.remove'), exact: true })
    .click();
  await page.getByText(t('autoscaling.empty_title')).waitFor();
  await page.getByRole('button', { name: t('simulation.remove'), exact: true }).click();
  await page.getByText(t('simulation.now', { rate: '0' })).waitFor();
  await api('DELETE', path);
  await visited.end();
});
