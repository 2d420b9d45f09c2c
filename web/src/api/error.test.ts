import { describe, expect, it } from 'vitest';
import { asApiError, errorFromReply } from './error';
import { IdempotencyKeys, uuid } from './idempotency';

describe('a refusal', () => {
  it('is read from the envelope', () => {
    const error = errorFromReply(
      422,
      JSON.stringify({
        code: 'invalid_spec',
        message: 'no',
        request_id: 'r1',
        details: { fields: [{ field: 'image', message: 'bad' }, { field: 3 }] },
      }),
      null,
    );
    expect(error).toMatchObject({ code: 'invalid_spec', status: 422, requestId: 'r1' });
    expect(error.fields).toEqual([{ field: 'image', message: 'bad' }]);
    expect(error.conflict).toBeUndefined();
  });

  it('tells what changed under an edit', () => {
    const body = { code: 'version_conflict', message: 'x', request_id: '', details: { changed_by: 'lin' } };
    expect(errorFromReply(409, JSON.stringify(body), null).conflict).toEqual({ changed_by: 'lin' });
  });

  it("is something to show even from a proxy's page", () => {
    expect(errorFromReply(502, '<html>Bad Gateway</html>', 'r2')).toMatchObject({
      code: 'http_502',
      message: '<html>Bad Gateway</html>',
      requestId: 'r2',
    });
  });

  it('stands for no answer at all', () => {
    expect(asApiError(new TypeError('Failed to fetch'))).toMatchObject({ code: 'network', status: 0 });
  });
});

describe('idempotency keys', () => {
  it('are UUIDs', () => {
    expect(uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('stay with a request until it is answered', () => {
    const keys = new IdempotencyKeys();
    const first = keys.keyFor('/services', '{"name":"web"}');
    expect(keys.keyFor('/services', '{"name":"web"}')).toBe(first);
    expect(keys.keyFor('/services', '{"name":"api"}')).not.toBe(first);
    keys.answered(first);
    expect(keys.keyFor('/services', '{"name":"web"}')).not.toBe(first);
  });
});
