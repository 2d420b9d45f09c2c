import { describe, expect, it } from 'vitest';
import type { Operation, Service } from '@/api/types';
import { type BulkInput, planFor, releasedBefore, withTag } from './plans';

const input: BulkInput = { scale: 'to', replicas: 3, release: 'tag', image: '2', comment: '' };
const service = {
  name: 'web',
  replicas: 2,
  revision: 4,
  image: 'registry.example:5000/shop/web:1',
  deleting: false,
  placement: { strategy: { type: 'free_capacity' } },
  status: { wanted: 2 },
} as Service;

describe('what will become of a service', () => {
  it('is what was asked for', () => {
    expect(planFor('restart', service, input)).toEqual({ will: 'restart', replicas: 2 });
    expect(planFor('scale', service, input)).toEqual({ will: 'scale', from: 2, to: 3 });
    expect(planFor('scale', service, { ...input, scale: 'by', replicas: -5 })).toMatchObject({ to: 0 });
    expect(planFor('roll_back', service, input, 2)).toEqual({ will: 'roll_back', from: 4, to: 2 });
    expect(planFor('release', service, input)).toMatchObject({ to: 'registry.example:5000/shop/web:2' });
    expect(planFor('release', service, { ...input, release: 'image', image: ' a/b:3 ' })).toMatchObject({
      to: 'a/b:3',
    });
    expect(planFor('delete', service, input)).toEqual({ will: 'delete', replicas: 2 });
  });

  it('is nothing where nothing would change or it can not be', () => {
    for (const kind of ['restart', 'scale', 'roll_back', 'release', 'delete'] as const) {
      expect(planFor(kind, { ...service, deleting: true }, input)).toEqual({ skip: 'deleting' });
    }
    const stopped = { ...service, status: { ...service.status, wanted: 0 } };
    expect(planFor('restart', stopped, input)).toEqual({ skip: 'stopped' });
    expect(planFor('scale', { ...service, replicas: 3 }, input)).toEqual({ skip: 'same_replicas' });
    const pinned = { ...service, placement: { strategy: { type: 'pinned' as const, replicas: {} } } };
    expect(planFor('scale', pinned, input)).toEqual({ skip: 'pinned' });
    expect(planFor('roll_back', { ...service, revision: 1 }, input)).toEqual({ skip: 'first_revision' });
    for (const before of ['reading', 'none_before', 'unread'] as const) {
      expect(planFor('roll_back', service, input, before)).toEqual({ skip: before });
    }
    expect(planFor('release', service, { ...input, image: '1' })).toEqual({ skip: 'same_image' });
    expect(planFor('release', service, { ...input, image: ' ' })).toEqual({ skip: 'no_image' });
  });
});

describe('the revision to go back to', () => {
  const release = (revision: number | null, at: number, state: Operation['state'] = 'succeeded') =>
    ({
      kind: revision === null ? 'scale_service' : revision === 1 ? 'create_service' : 'release_service',
      revision,
      state,
      created_at: `2026-03-10T12:00:0${at}Z`,
    }) as Operation;

  it('was released, and is another one than now', () => {
    // Revisions 2 and 4 were saved and never released.
    const operations = [release(5, 5), release(null, 4), release(3, 3), release(1, 1)];
    expect(releasedBefore(operations, 5)).toBe(3);
    expect(releasedBefore([...operations].reverse(), 3)).toBe(5);
  });

  it('is one that came to its end, if any did', () => {
    const operations = [release(4, 4, 'failed'), release(3, 3, 'superseded'), release(2, 2)];
    expect(releasedBefore(operations, 4)).toBe(2);
    expect(releasedBefore(operations.slice(0, 2), 4)).toBe(3);
  });

  it('may be none', () => {
    expect(releasedBefore([release(4, 4), release(null, 1)], 4)).toBe('none_before');
    expect(releasedBefore([], 4)).toBe('none_before');
  });
});

it('puts a tag or a digest in place of the one there is', () => {
  expect(withTag('nginx', '1.27')).toBe('nginx:1.27');
  expect(withTag('nginx:1', ':2')).toBe('nginx:2');
  expect(withTag('host:5000/a/b', '2')).toBe('host:5000/a/b:2');
  expect(withTag('host:5000/a/b:1@sha256:ab', '2')).toBe('host:5000/a/b:2');
  expect(withTag('a/b:1', 'sha256:cd')).toBe('a/b@sha256:cd');
});
