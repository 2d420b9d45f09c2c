// Shows the API document. Text only ever enters the page as text.

const DEEPEST = 6;
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/** An element with attributes and children; strings become text. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

/** Text with `code` in it. */
function prose(text) {
  return String(text ?? '')
    .split('`')
    .map((part, index) => (index % 2 ? make('code', {}, part) : part));
}

function paragraphs(text) {
  return String(text ?? '')
    .split(/\n\s*\n/)
    .filter((part) => part.trim())
    .map((part) => make('p', {}, ...prose(part)));
}

function nameOf(reference) {
  return reference.split('/').pop();
}

function resolve(api, schema) {
  return schema?.$ref ? (api.components.schemas[nameOf(schema.$ref)] ?? {}) : (schema ?? {});
}

/** What a value is, in a few words. */
function kindOf(schema) {
  if (!schema || Object.keys(schema).length === 0) return 'anything';
  if (schema.$ref) return nameOf(schema.$ref);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const choice = schema.oneOf ?? schema.anyOf;
  if (choice) return choice.map(kindOf).join(' | ');
  if (schema.allOf) return schema.allOf.map(kindOf).join(' & ');
  const types = [schema.type].flat().map((type) => {
    if (type === 'array') return `${kindOf(schema.items)}[]`;
    if (type === 'object' && schema.additionalProperties) return `map of ${kindOf(schema.additionalProperties)}`;
    return type;
  });
  return types.join(' | ') + (schema.format ? ` (${schema.format})` : '');
}

/** The schema with fields that a reader would open, if it has any. */
function inner(api, schema) {
  if (!schema) return undefined;
  const choice = (schema.oneOf ?? schema.anyOf ?? schema.allOf)?.find((part) => part.type !== 'null');
  const next = schema.$ref ? resolve(api, schema) : (schema.items ?? choice);
  if (schema.properties) return schema;
  return next && next !== schema ? inner(api, next) : undefined;
}

function fields(api, schema, depth = 0) {
  const whole = inner(api, schema);
  if (!whole || depth > DEEPEST) return [];
  const required = new Set(whole.required ?? []);
  return Object.entries(whole.properties).map(([name, field]) => {
    const described = field.description ?? (field.$ref ? '' : resolve(api, field).description);
    const head = [
      make('code', { class: required.has(name) ? 'required' : '' }, name),
      ' ',
      make('code', { class: 'kind' }, kindOf(field)),
      described ? make('span', { class: 'note' }, ' ', ...prose(described.split(/\n\s*\n/)[0])) : undefined,
    ];
    if (!inner(api, field)) return make('div', {}, ...head);
    const details = make('details', {}, make('summary', {}, ...head));
    // Types refer to each other: what is inside is made when somebody looks.
    details.addEventListener('toggle', () => details.append(...fields(api, field, depth + 1)), { once: true });
    return details;
  });
}

function parameters(api, operation) {
  const rows = (operation.parameters ?? []).map((parameter) => {
    const { name, in: place, required, schema, description } = parameter.$ref ? resolve(api, parameter) : parameter;
    return make(
      'tr',
      {},
      make('td', {}, make('code', { class: required ? 'required' : '' }, name)),
      make('td', { class: 'kind' }, place),
      make('td', {}, make('code', { class: 'kind' }, kindOf(schema))),
      make('td', {}, ...prose(description)),
    );
  });
  return rows.length ? [make('h4', {}, 'Parameters'), make('table', {}, make('tbody', {}, ...rows))] : [];
}

function body(api, operation) {
  return Object.entries(operation.requestBody?.content ?? {}).flatMap(([type, { schema }]) => [
    make('h4', {}, `Body: ${kindOf(schema)}${type === 'application/json' ? '' : ` (${type})`}`),
    ...fields(api, schema),
  ]);
}

function answers(api, operation) {
  const rows = Object.entries(operation.responses ?? {}).map(([status, { description, content }]) => {
    const schema = Object.values(content ?? {})[0]?.schema;
    const cell = make('td', {}, ...prose(description));
    if (schema && inner(api, schema) && kindOf(schema) !== 'ErrorBody') {
      const details = make('details', {}, make('summary', {}, make('code', {}, kindOf(schema))));
      details.addEventListener('toggle', () => details.append(...fields(api, schema)), { once: true });
      cell.append(details);
    }
    return make('tr', {}, make('td', {}, make('code', {}, status)), cell);
  });
  return [make('h4', {}, 'Answers'), make('table', {}, make('tbody', {}, ...rows))];
}

function article(api, { path, method, operation }) {
  return make(
    'article',
    { id: operation.operationId },
    make(
      'h3',
      {},
      make('span', { class: `method ${method}` }, method),
      make('span', {}, path),
      make('span', { class: 'permission', title: 'the permission it needs' }, operation['x-permission']),
    ),
    make('p', {}, ...prose(operation.summary)),
    ...paragraphs(operation.description),
    ...parameters(api, operation),
    ...body(api, operation),
    ...answers(api, operation),
  );
}

function operationsOf(api) {
  return Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => {
      const operation = item[method];
      return { path, method, operation, tag: operation.tags?.[0] ?? 'other' };
    }),
  );
}

function show(api, operations) {
  const contents = document.getElementById('contents');
  const page = document.getElementById('operations');
  contents.replaceChildren();
  page.replaceChildren();
  for (const { name, description } of [...(api.tags ?? []), { name: 'other' }]) {
    const own = operations.filter(({ tag }) => tag === name);
    if (!own.length) continue;
    const links = own.map(({ operation }) =>
      make('li', {}, make('a', { href: `#${operation.operationId}` }, operation.operationId)),
    );
    contents.append(make('h2', {}, name), make('ul', {}, ...links));
    page.append(make('h2', {}, name), make('p', { class: 'note' }, description ?? ''));
    page.append(...own.map((one) => article(api, one)));
  }
  if (!operations.length) page.append(make('p', {}, 'No operation is like that.'));
}

async function start() {
  const page = document.getElementById('operations');
  try {
    const reply = await fetch('/api/openapi.json');
    if (!reply.ok) throw new Error(`the document could not be read: ${reply.status}`);
    const api = await reply.json();
    const all = operationsOf(api);
    document.getElementById('about').append(...prose(api.info.description));
    const search = document.getElementById('search');
    const filter = () => {
      const text = search.value.trim().toLowerCase();
      const fits = ({ path, operation }) =>
        [path, operation.operationId, operation.summary, operation['x-permission']]
          .join(' ')
          .toLowerCase()
          .includes(text);
      show(api, all.filter(fits));
    };
    search.addEventListener('input', filter);
    filter();
    // The page is made after the browser looked for the place in its address.
    if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
  } catch (error) {
    page.replaceChildren(make('p', {}, error.message));
  }
}

start();
