import { describe, expect, it } from 'vitest';
import { best } from './best';

describe('what fits best', () => {
  it('comes first, and in its own order otherwise', () => {
    const names = ['api', 'my-web', 'web-2', 'Web', 'web-1', 'admin'];
    const found = best(
      names.map((label) => ({ label })),
      'web',
    );
    expect(found.map(({ label }) => label)).toEqual(['Web', 'web-2', 'web-1', 'my-web', 'api', 'admin']);
  });

  it('is found among more than are shown', () => {
    const names = [...Array.from({ length: 20 }, (_, index) => `by-image-${index}`), 'web'];
    const found = best(
      names.map((label) => ({ label })),
      'web',
    );
    expect(found).toHaveLength(6);
    expect(found[0]?.label).toBe('web');
  });
});
