// A reporter for Node's test runner: the files in which something failed, a line each.
import { relative } from 'node:path';

/**
 * @param {AsyncIterable<{ type: string, data: { file?: string } }>} events
 */
export default async function* failedFiles(events) {
  const failed = new Set();
  for await (const { type, data } of events) {
    if (type === 'test:fail' && data.file) failed.add(relative(process.cwd(), data.file));
  }
  for (const file of failed) yield `${file}\n`;
}
