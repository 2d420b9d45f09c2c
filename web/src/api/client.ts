import createClient, { type MaybeOptionalInit, type Middleware } from 'openapi-fetch';
import type { PathsWithMethod } from 'openapi-typescript-helpers';
import { queryOptions } from '@tanstack/react-query';
import { ApiError, asApiError, errorFromReply } from './error';
import { IdempotencyKeys } from './idempotency';
import type { paths } from './schema';

export const client = createClient<paths>({
  baseUrl: typeof location === 'undefined' ? '' : location.origin,
});

let csrfToken: string | null = null;
let sessionLost: () => void = () => undefined;

export function setCsrfToken(token: string | null | undefined): void {
  csrfToken = token ?? null;
}

/** Calls `listener` when a reply says that nobody is signed in any more. */
export function onSessionLost(listener: () => void): void {
  sessionLost = listener;
}

const keys = new IdempotencyKeys();

const headers: Middleware = {
  async onRequest({ request }) {
    if (request.method === 'GET') return undefined;
    if (csrfToken) request.headers.set('x-csrf-token', csrfToken);
    if (request.method === 'POST') {
      request.headers.set('idempotency-key', keys.keyFor(request.url, await request.clone().text()));
    }
    return request;
  },
  async onResponse({ request, response }) {
    keys.answered(request.headers.get('idempotency-key'));
    if (response.ok) return undefined;
    const error = errorFromReply(
      response.status,
      await response.text(),
      response.headers.get('x-request-id'),
    );
    if (response.status === 401 && !new URL(request.url).pathname.endsWith('/session')) sessionLost();
    throw error;
  },
  onError({ error }) {
    return asApiError(error);
  },
};
client.use(headers);

/** The body of a good reply; a refusal rejects with an `ApiError`. */
export async function send<T>(reply: Promise<{ data?: T }>): Promise<NonNullable<T>> {
  const { data } = await reply;
  return data as NonNullable<T>;
}

/** The header parameter that guards a change against another one made meanwhile. */
export function ifMatch(version: number): { 'If-Match': string } {
  return { 'If-Match': `"${version}"` };
}

type GetPath = PathsWithMethod<paths, 'get'>;
type GetInit<P extends GetPath> = MaybeOptionalInit<paths[P], 'get'>;
type Reply<P extends GetPath> = paths[P]['get'] extends {
  responses: { 200: { content: { 'application/json': infer Body } } };
}
  ? Body
  : never;

async function get<P extends GetPath>(path: P, init: GetInit<P> | undefined, signal: AbortSignal) {
  const ask = client.GET as (path: P, init: unknown) => Promise<{ data?: unknown }>;
  const { data } = await ask(path, { ...init, signal });
  if (data === undefined) throw new ApiError(0, 'empty_reply', `${path} answered nothing`);
  return data as Reply<P>;
}

/** What TanStack Query needs to read one path; the key is the path and its parameters. */
export function read<P extends GetPath>(path: P, init?: GetInit<P>) {
  return queryOptions({
    queryKey: [path, init] as const,
    queryFn: ({ signal }) => get(path, init, signal),
  });
}

/**
 * The same, and null where there is none: an answer, which stays on the page while it is read again, as an error
 * without anything read before does not.
 */
export function readOrNull<P extends GetPath>(path: P, init?: GetInit<P>) {
  return queryOptions({
    queryKey: [path, init, 'or null'] as const,
    queryFn: ({ signal }) =>
      get(path, init, signal).catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }),
  });
}
