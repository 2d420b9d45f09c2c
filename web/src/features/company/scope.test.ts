import { describe, expect, it } from 'vitest';
import { grantOf, placeOf } from './scope';

describe('where a role holds', () => {
  it('is everywhere for a role of the platform, whatever else was chosen', () => {
    expect(grantOf('operator', 'shop', 'test')).toEqual({ role: 'operator' });
  });
  it('is a project or an environment of it', () => {
    expect(grantOf('viewer', 'shop', undefined)).toEqual({ role: 'viewer', project: 'shop' });
    expect(grantOf('viewer', 'shop', 'test')).toEqual({
      role: 'viewer',
      project: 'shop',
      environment: 'test',
    });
    expect(grantOf('viewer', undefined, 'test')).toEqual({ role: 'viewer' });
  });
  it('is shown as a path', () => {
    expect(placeOf({ project: 'shop', environment: 'test' })).toBe('shop/test');
    expect(placeOf({})).toBe('');
  });
});
