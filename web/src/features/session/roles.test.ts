import { describe, expect, it } from 'vitest';
import { environmentsWith, isPermitted, isPermittedSomewhere } from './roles';
import { nextPage } from './nextPage';

describe('what one may do', () => {
  it('holds everywhere for a grant without a place', () => {
    expect(isPermitted([{ role: 'platform_admin' }], 'user:write', {})).toBe(true);
    expect(isPermitted([{ role: 'operator' }], 'cluster:write', {})).toBe(true);
    expect(isPermitted([{ role: 'operator' }], 'user:write', {})).toBe(false);
  });

  it('holds only in the place of the grant', () => {
    const grants = [{ role: 'developer' as const, project: 'shop', environment: 'test' }];
    expect(isPermitted(grants, 'service:write', { project: 'shop', environment: 'test' })).toBe(true);
    expect(isPermitted(grants, 'service:write', { project: 'shop', environment: 'production' })).toBe(false);
    expect(isPermitted(grants, 'service:write', { project: 'shop' })).toBe(false);
    expect(isPermitted(grants, 'service:write', {})).toBe(false);
    expect(isPermitted(grants, 'service:delete', { project: 'shop', environment: 'test' })).toBe(false);
    expect(isPermittedSomewhere(grants, 'service:write')).toBe(true);
    expect(isPermittedSomewhere(grants, 'audit:read')).toBe(false);
  });

  it('holds in every environment of a project', () => {
    const grants = [{ role: 'project_owner' as const, project: 'shop' }];
    expect(isPermitted(grants, 'service:delete', { project: 'shop', environment: 'test' })).toBe(true);
    expect(isPermitted(grants, 'cluster:write', { project: 'shop' })).toBe(false);
    expect(isPermitted(grants, 'quota:write', { project: 'shop' })).toBe(false);
    expect(isPermitted(grants, 'member:write', { project: 'shop' })).toBe(true);
    expect(isPermitted(grants, 'member:write', { project: 'bank' })).toBe(false);
    expect(isPermitted(grants, 'user:read', { project: 'shop' })).toBe(false);
  });

  it('holds in some environments, or in the project', () => {
    const part = { role: 'project_owner' as const, project: 'shop', environment: 'test' };
    const whole = { role: 'project_owner' as const, project: 'shop' };
    const reader = { role: 'viewer' as const, project: 'shop', environment: 'dev' };
    expect(environmentsWith([part, reader], 'member:write', 'shop')).toEqual(['test']);
    expect(environmentsWith([part, whole], 'member:write', 'shop')).toBeUndefined();
    expect(environmentsWith([part], 'member:write', 'bank')).toEqual([]);
    expect(environmentsWith([{ role: 'platform_admin' }], 'member:write', 'shop')).toBeUndefined();
  });

  it('is reading only for a viewer', () => {
    const grants = [{ role: 'viewer' as const }];
    expect(isPermitted(grants, 'pod:logs', {})).toBe(true);
    expect(isPermitted(grants, 'service:release', {})).toBe(false);
  });
});

describe('the page after signing in', () => {
  it.each([
    ['/services?q=web', '/services?q=web'],
    [null, '/'],
    ['https://evil.example', '/'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['/sign-in?next=/sign-in', '/'],
  ])('for %j is %s', (next, page) => expect(nextPage(next)).toBe(page));
});
