// The portal's own words, so that the tests find things by what people read, in every language.
import { readdirSync, readFileSync } from 'node:fs';

const folder = new URL('../../../web/src/app/i18n/', import.meta.url);

export const languages = /** @type {const} */ (['en', 'zh']);
/** @typedef {(typeof languages)[number]} Language */
/** @typedef {(key: string, values?: Record<string, string | number>) => string} Words */

/** @param {Language} language @returns {Words} */
export function wordsOf(language) {
  /** @type {Record<string, any>} */
  const tree = {};
  const own = new URL(`${language}/`, folder);
  for (const name of readdirSync(own).filter((each) => each.endsWith('.json'))) {
    Object.assign(tree, JSON.parse(readFileSync(new URL(name, own), 'utf8')));
  }
  const plurals = new Intl.PluralRules(language);
  const find = (/** @type {string} */ key) =>
    key.split('.').reduce((/** @type {any} */ node, part) => node?.[part], tree);
  return (key, values = {}) => {
    const text = find(key) ?? ('count' in values && find(`${key}_${plurals.select(Number(values.count))}`));
    if (typeof text !== 'string') throw new Error(`there is no word ${key} in ${language}`);
    return text.replace(/\{\{(\w+)\}\}/g, (_, name) => {
      if (!(name in values)) throw new Error(`the word ${key} needs ${name}`);
      return String(values[name]);
    });
  };
}

/** A text as a pattern that matches it anywhere. @param {string} text */
export function containing(text) {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
}
