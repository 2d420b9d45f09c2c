import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

/** The event streams that are open in the portal. */
const streams: ServerResponse[] = [];
const sockets = new WebSocketServer({ noServer: true });

/** What of the portal matters here: it says something at once and more later, to its own pages only. */
const portal = createHttpServer((_, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write('data: first\n\n');
  streams.push(response);
});
portal.on('upgrade', (request, socket, head) => {
  const { host, origin } = request.headers;
  if (origin !== `http://${host}`) {
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    return;
  }
  sockets.handleUpgrade(request, socket, head, (opened) => opened.send('first'));
});

let development: ViteDevServer;
let scratch: string;
let address: string;

beforeAll(async () => {
  portal.listen(0, '127.0.0.1');
  await once(portal, 'listening');
  vi.stubEnv('LONGSHORE_PORTAL_URL', `http://127.0.0.1:${(portal.address() as AddressInfo).port}`);
  scratch = await mkdtemp(join(tmpdir(), 'longshore-vite-'));
  development = await createServer({
    root: fileURLToPath(new URL('..', import.meta.url)),
    cacheDir: scratch,
    logLevel: 'error',
    // Only what it passes on is looked at, and no page of its own.
    optimizeDeps: { noDiscovery: true },
    server: { port: 0, watch: null },
  });
  await development.listen();
  address = `127.0.0.1:${(development.httpServer?.address() as AddressInfo).port}`;
}, 20_000);

afterAll(async () => {
  await development.close();
  portal.closeAllConnections();
  portal.close();
  vi.unstubAllEnvs();
  await rm(scratch, { recursive: true });
});

describe('the development server over a running portal', () => {
  it('passes events on as they come', async () => {
    const response = await fetch(`http://${address}/api/v1/stream`);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe('data: first\n\n');
    streams[0]?.write('data: second\n\n');
    expect((await reader?.read())?.value).toBe('data: second\n\n');
    streams[0]?.end();
    expect((await reader?.read())?.done).toBe(true);
  });

  it('opens live logs for its own pages, and for no others', async () => {
    const open = (origin: string) => new WebSocket(`ws://${address}/api/v1/log/stream`, { origin });
    const own = open(`http://${address}`);
    const [message] = (await once(own, 'message')) as [Buffer];
    expect(message.toString()).toBe('first');
    own.terminate();

    const other = open('http://elsewhere.example');
    const [error] = (await once(other, 'error')) as [Error];
    expect(error.message).toContain('403');
  });
});
