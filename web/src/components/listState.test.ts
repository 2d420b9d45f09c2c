import { describe, expect, it } from 'vitest';
import { firstPage, nextSort, readListState, sortOrder, writeListState } from './listState';

const NAMES = ['q', 'project', 'state'] as const;
const read = (search: string) => readListState(new URLSearchParams(search), NAMES);

describe('the state of a list in the URL', () => {
  it('is the default for an empty query', () => {
    expect(read('')).toEqual({ filters: {}, sort: undefined, limit: 50, cursor: undefined, offset: 0 });
  });

  it('reads back what was written', () => {
    const state = {
      filters: { q: 'web 1', state: 'failed,degraded' },
      sort: '-updated_at',
      limit: 100,
      cursor: 'a+b/c=',
      offset: 200,
    };
    const written = writeListState(new URLSearchParams('pod=x'), NAMES, state);
    expect(read(written.toString())).toEqual(state);
    expect(written.get('pod')).toBe('x');
  });

  it('leaves out what is as by default', () => {
    const state = { filters: {}, sort: undefined, limit: 50, cursor: undefined, offset: 0 };
    expect(
      writeListState(new URLSearchParams('q=old&limit=20&cursor=x&from=9'), NAMES, state).toString(),
    ).toBe('');
  });

  it('does not take nonsense from the URL', () => {
    expect(read('limit=9999&cursor=&from=7').limit).toBe(50);
    expect(read('limit=-3').limit).toBe(50);
    expect(read('limit=5e1').limit).toBe(50);
    expect(read('from=7')).toMatchObject({ cursor: undefined, offset: 0 });
    expect(read('cursor=c&from=seven')).toMatchObject({ cursor: 'c', offset: 0 });
    expect(read('q=%20%20').filters).toEqual({});
  });

  it('begins again at the first page for another filter', () => {
    expect(firstPage(read('q=a&cursor=c&from=50'))).toMatchObject({
      filters: { q: 'a' },
      cursor: undefined,
      offset: 0,
    });
  });
});

describe('the order of a list', () => {
  it('goes from a click on a head to the query and back', () => {
    expect(nextSort('name', 'ascend')).toBe('name');
    expect(nextSort('name', 'descend')).toBe('-name');
    expect(nextSort('name', null)).toBeUndefined();
    expect(sortOrder('-name', 'name')).toBe('descend');
    expect(sortOrder('name', 'name')).toBe('ascend');
    expect(sortOrder('name', 'updated_at')).toBeNull();
  });
});
