import { describe, expect, it } from 'vitest';
import { imageParts, isImageReference } from './imageParts';

describe('an image reference', () => {
  it.each([
    ['nginx', '', 'nginx', 'nginx', ''],
    ['library/nginx:1.27', '', 'library/nginx', 'nginx', '1.27'],
    ['registry.example.com/shop/web:2.4', 'registry.example.com', 'shop/web', 'web', '2.4'],
    ['localhost:5000/web:a', 'localhost:5000', 'web', 'web', 'a'],
    [`a.b/web@sha256:${'0'.repeat(64)}`, 'a.b', 'web', 'web', 'sha256:000000000000'],
  ])('%s is taken apart', (image, registry, repository, name, tag) => {
    expect(imageParts(image)).toEqual({ registry, repository, name, tag });
  });

  it.each(['nginx', 'web:1', 'registry.example.com:5000/a/b-c_d:v1.2', `web@sha256:${'a'.repeat(64)}`])(
    'can be %s',
    (image) => expect(isImageReference(image)).toBe(true),
  );

  it.each(['', 'Web', 'web:', 'web :1', 'a//b', 'web@sha256:12', '-web', 'web:ta g'])(
    'can not be %j',
    (image) => expect(isImageReference(image)).toBe(false),
  );
});
