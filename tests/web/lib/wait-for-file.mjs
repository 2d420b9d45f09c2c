// wait-for-file FILE PID: waits until the process has written FILE, and fails when it has ended before.
import { existsSync } from 'node:fs';

const [file, pid] = process.argv.slice(2);
const end = Date.now() + 60_000;
while (!existsSync(file ?? '')) {
  try {
    process.kill(Number(pid), 0);
  } catch {
    console.error(`the process ended before it wrote ${file}`);
    process.exit(1);
  }
  if (Date.now() > end) {
    console.error(`${file} was not there within 60 s`);
    process.exit(1);
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
}
