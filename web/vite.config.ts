import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import type { Plugin, ViteDevServer } from 'vite';
import { defineConfig } from 'vitest/config';

// `npm run dev` answers the API from dev/mock, or from a running portal when its URL is given.
const portal = process.env.LONGSHORE_PORTAL_URL;

const mockApi: Plugin = {
  name: 'longshore-mock-api',
  apply: 'serve',
  async configureServer(server) {
    const mock = await server.ssrLoadModule('/dev/mock/serve.ts');
    (mock.serve as (server: ViteDevServer) => void)(server);
  },
};

export default defineConfig({
  plugins: [react(), ...(portal || process.env.VITEST ? [] : [mockApi])],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: {
    host: '127.0.0.1',
    port: 5173,
    // The portal compares `Host` with `Origin` before it opens a WebSocket, so `Host` stays as it is.
    proxy: portal ? { '/api': { target: portal, ws: true, changeOrigin: false } } : undefined,
  },
  build: {
    target: 'es2022',
    // The portal's content security policy allows no data: fonts or images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    chunkSizeWarningLimit: 700,
  },
  test: {
    include: ['src/**/*.test.ts', 'src/**/*.test.tsx', 'dev/**/*.test.ts'],
    environment: 'node',
  },
});
