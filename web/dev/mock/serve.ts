import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ViteDevServer } from 'vite';
import { WebSocketServer } from 'ws';
import type { Session } from '../../src/api/types';
import { now } from './data';
import { Engine } from './engine';
import { followLog, readLog } from './logs';
import { Refusal, type Request } from './request';
import { ROUTES } from './routes';

const API = '/api/v1';

/** A made-up platform for `npm run dev`: signs in anyone whose password is `longshore`. */
export function serve(server: ViteDevServer): void {
  const engine = new Engine();
  const state = { signedIn: false };
  server.middlewares.use((request, response, next) => {
    if (!request.url?.startsWith(API)) return next();
    answer(request, response, engine, state).catch((error: unknown) => refuse(response, error));
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.httpServer?.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!request.url?.startsWith(API)) return;
    const url = new URL(request.url, 'http://localhost');
    sockets.handleUpgrade(request, socket, head, (connection) => followLog(engine, url, connection));
  });
}

function session(): Session {
  return {
    user: {
      id: randomUUID(),
      name: 'admin',
      display_name: 'Admin',
      email: '',
      disabled: false,
      must_change_password: false,
      created_at: now(),
      last_sign_in_at: now(),
    },
    grants: [{ role: 'platform_admin' }],
    permissions: ['service:read'],
    csrf_token: 'csrf',
    expires_at: now(),
    simulated: false,
    changes_cursor: '1-0',
  };
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  return text ? (JSON.parse(text) as unknown) : undefined;
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  if (body === undefined) {
    response.end();
    return;
  }
  response.setHeader('content-type', typeof body === 'string' ? 'text/plain' : 'application/json');
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

function refuse(response: ServerResponse, error: unknown): void {
  const refusal = error instanceof Refusal ? error : new Refusal(500, 'internal', String(error));
  reply(response, refusal.status, {
    code: refusal.code,
    message: refusal.message,
    request_id: randomUUID(),
    details: refusal.details,
  });
}

function match(template: string, path: string): Record<string, string> | undefined {
  const expected = template.split('/');
  const given = path.split('/');
  if (expected.length !== given.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, part] of expected.entries()) {
    const value = given[index] ?? '';
    if (part.startsWith('{')) parameters[part.slice(1, -1)] = decodeURIComponent(value);
    else if (part !== value) return undefined;
  }
  return parameters;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  engine: Engine,
  state: { signedIn: boolean },
): Promise<void> {
  const url = new URL(request.url ?? '', 'http://localhost');
  const path = url.pathname.slice(API.length);
  const method = request.method ?? 'GET';
  const body = await bodyOf(request);
  if (path === '/session') {
    if (method === 'DELETE') state.signedIn = false;
    if (method === 'POST') {
      if ((body as { password?: string }).password !== 'longshore') {
        throw new Refusal(401, 'wrong_credentials', 'the user name or the password is wrong');
      }
      state.signedIn = true;
    }
    if (method === 'DELETE') return reply(response, 204, undefined);
  }
  if (!state.signedIn) throw new Refusal(401, 'not_signed_in', 'nobody is signed in');
  if (path === '/session') return reply(response, 200, session());
  if (path === '/stream') {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    const stop = engine.follow((change) =>
      response.write(`event: change\ndata: ${JSON.stringify(change)}\n\n`),
    );
    response.write(': hello\n\n');
    request.on('close', stop);
    return;
  }
  const log = method === 'GET' ? readLog(engine, url) : undefined;
  if (log !== undefined) return reply(response, 200, log);
  for (const [expected, template, handler] of ROUTES) {
    const parameters = expected === method ? match(template, path) : undefined;
    if (!parameters) continue;
    const asked: Request = {
      method,
      path,
      query: url.searchParams,
      body,
      ifMatch: request.headers['if-match'],
      parameters,
    };
    const result = handler(asked, engine);
    if (result === undefined && method === 'GET')
      throw new Refusal(404, 'not_found', `there is nothing at ${path}`);
    if (method !== 'GET') record(engine, asked, template);
    return reply(response, result === undefined ? 204 : 200, result);
  }
  throw new Refusal(404, 'not_found', `the mock does not answer ${method} ${path}`);
}

function record(engine: Engine, request: Request, template: string): void {
  if (template.endsWith('/preview')) return;
  engine.world.audit.unshift({
    id: randomUUID(),
    at: now(),
    actor: 'admin',
    via: 'session',
    action: request.method === 'POST' ? 'create_service' : 'update_service',
    method: request.method,
    path: API + request.path,
    project: request.parameters.project ?? null,
    environment: request.parameters.environment ?? null,
    target: request.parameters.service ? `service/${request.parameters.service}` : request.path,
    request: (request.body as Record<string, never> | undefined) ?? null,
    outcome: 'succeeded',
    status: 200,
    error: null,
    request_id: randomUUID(),
    remote_address: '127.0.0.1',
    duration_ms: 12,
  });
}
