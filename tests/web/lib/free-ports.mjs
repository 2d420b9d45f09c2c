// Prints the first port of a range that nobody listens on: the demo takes one port and those after it.
import { createServer } from 'node:net';

const RANGE = 20;

/** @param {number} port @returns {Promise<boolean>} */
function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

for (let attempt = 0; attempt < 100; attempt += 1) {
  const base = 20_000 + Math.floor(Math.random() * 10_000);
  const free = await Promise.all(Array.from({ length: RANGE }, (_, index) => isFree(base + index)));
  if (free.every(Boolean)) {
    console.log(base);
    process.exit(0);
  }
}
console.error(`no ${RANGE} free ports in a row were found`);
process.exit(1);
