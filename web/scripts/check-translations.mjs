// Fails when a word exists in one language and not in another, when a placeholder differs, or when the
// code asks for a word that is not there. Types find most of the last; this also finds unused words.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../src', import.meta.url));
const words = join(root, 'app/i18n');
const languages = ['en', 'zh'];
const problems = [];

function flatten(value, path = '') {
  if (typeof value === 'string') return [[path, value]];
  return Object.entries(value).flatMap(([key, child]) => flatten(child, path ? `${path}.${key}` : key));
}

function load(language) {
  const folder = join(words, language);
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return new Map(files.flatMap((name) => flatten(JSON.parse(readFileSync(join(folder, name), 'utf8')))));
}

/** Languages differ in their plural forms; a word is one word in all of its forms. */
const base = (key) => key.replace(/_(zero|one|two|few|many|other)$/, '');
const placeholders = (text) => [...new Set(text.match(/\{\{\w+\}\}|<\/?\w+>/g) ?? [])].sort().join(' ');

const [first, ...others] = languages.map((language) => ({ language, texts: load(language) }));
for (const { language, texts } of others) {
  const mine = new Set([...texts.keys()].map(base));
  const theirs = new Set([...first.texts.keys()].map(base));
  for (const key of theirs) if (!mine.has(key)) problems.push(`${language} lacks ${key}`);
  for (const key of mine) if (!theirs.has(key)) problems.push(`${first.language} lacks ${key}`);
  for (const [key, text] of texts) {
    const other = first.texts.get(key);
    if (other !== undefined && placeholders(other) !== placeholders(text)) {
      problems.push(`${key}: placeholders differ between ${first.language} and ${language}`);
    }
    if (text.trim() === '') problems.push(`${language}: ${key} is empty`);
  }
}

function sources(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.tsx?$/.test(entry.name) && !/\.test\./.test(entry.name) ? [readFileSync(path, 'utf8')] : [];
  });
}
const code = sources(root).join('\n');
const used = new Set([...code.matchAll(/['"`]([a-z_]+(?:\.[A-Za-z_]+)+)['"`]/g)].map((match) => match[1]));
// `state.service.${state}` uses everything below `state.service.`; `log.state_${kind}` all that begins so.
const prefixes = [...code.matchAll(/[`]([a-z_]+\.[a-z_.]*)\$\{/g)].map((match) => match[1]);
for (const key of new Set([...first.texts.keys()].map(base))) {
  if (!key.includes('.')) continue;
  if (!used.has(key) && !prefixes.some((prefix) => key.startsWith(prefix)))
    problems.push(`nothing uses ${key}`);
}

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
console.log(`${first.texts.size} words in ${languages.join(', ')}`);
