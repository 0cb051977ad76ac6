// Writes the Postman collection of an OpenAPI document to standard output: `node collection.js DOCUMENT.json`.
//
// openapi-to-postmanv2 converts the document. This overlay makes each folder run by itself: it logs in, passes ids and entity
// tags from one request to the next, and asserts that each response is as documented.
'use strict';

const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { convert } = require('openapi-to-postmanv2');
const { variables, logins, overrides } = require('./steps.js');

/** Fixed, so that an import replaces the previous version of the collection. */
const ID = '6a1cf2f0-8f0e-4f57-9d0b-3c4d0e6f7a21';

const document = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const resolve = (value) =>
  value?.$ref ? resolve(value.$ref.slice(2).split('/').reduce((at, key) => at[key], document)) : value;

/** Operations by id, each with its path and method. */
const operations = new Map(
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => [operation.operationId, { ...operation, path, method }]),
  ),
);

/** Name of a resource in variables: `student` for `/students` and `/students/{id}`. */
const resource = (path) => path.match(/([a-z]+?)s?(\/\{id\}.*)?$/)[1];
const isSecured = (operation) => (operation.security ?? document.security ?? []).length > 0;
const parametersOf = (operation) => (operation.parameters ?? []).map(resolve);
const responseOf = (operation, status) => resolve(operation.responses[status]);
const firstSuccess = (operation) => Object.keys(operation.responses).find((status) => status.startsWith('2'));

/** The step of an operation: its id and entity tag come from the responses before. */
function ownStep(id) {
  const operation = operations.get(id);
  const name = resource(operation.path);
  const parameters = {};
  for (const parameter of parametersOf(operation)) {
    if (parameter.name === 'id') parameters.id = `{{${name}Id}}`;
    if (parameter.name === 'If-None-Match') parameters['If-None-Match'] = null;
    if (parameter.name === 'If-Match') parameters['If-Match'] = `{{${name}Tag}}`;
  }
  const keep = {};
  const success = firstSuccess(operation);
  if (success === '201') keep[`${name}Id`] = 'body.id';
  if (responseOf(operation, success).headers?.ETag) keep[`${name}Tag`] = "pm.response.headers.get('ETag')";
  const override = overrides[id] ?? {};
  return {
    ...override,
    operation: id,
    parameters: { ...parameters, ...override.parameters },
    keep: { ...keep, ...override.keep },
  };
}

/** The steps of a folder in order. What deletes the folder's resource comes last. */
function stepsOf(items) {
  const isDeletion = (id) => /^\/[a-z]+\/\{id\}$/.test(operations.get(id).path) && operations.get(id).method === 'delete';
  const ids = items.map((item) => item.operation).sort((one, other) => isDeletion(one) - isDeletion(other));
  const steps = [];
  const available = new Set();
  const add = (step) => {
    const token = step.token === undefined ? 'token' : step.token;
    if (token && isSecured(operations.get(step.operation)) && !available.has(token)) logins[token].forEach(add);
    Object.keys(step.keep ?? {}).forEach((variable) => available.add(variable));
    steps.push(step);
  };
  for (const step of ids.map(ownStep)) [...(step.before ?? []), step, ...(step.after ?? [])].forEach(add);
  return steps;
}

const text = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
const bearer = (variable) => ({
  type: 'bearer',
  bearer: [{ key: 'token', value: `{{${variable}}}`, type: 'string' }],
});

/** A converted parameter with its documented example or the step's value; without either it is switched off. */
function setParameter(entry, operation, step) {
  const parameter = parametersOf(operation).find((parameter) => parameter.name === entry.key);
  if (!parameter) return entry;
  const given = step.parameters?.[entry.key];
  const value = given === undefined ? (parameter.example ?? resolve(parameter.schema).example) : given;
  const off = value === undefined || value === null;
  return { key: entry.key, value: off ? '' : text(value), description: parameter.description, ...(off && { disabled: true }) };
}

/** A converted body with the step's values. A variable in place of a number has no quotation marks. */
function setBody(body, values) {
  const example = JSON.parse(body.raw);
  const changed = { ...example, ...values };
  let raw = JSON.stringify(changed, null, 2);
  for (const [name, value] of Object.entries(values ?? {})) {
    if (typeof example[name] === 'number') raw = raw.replace(`"${name}": "${value}"`, `"${name}": ${value}`);
  }
  return { mode: 'raw', raw, options: body.options };
}

/** What the assertions compare with the response. */
function expectation(response, status) {
  const headers = Object.entries(response.headers ?? {}).map(([name, header]) => [name, resolve(header)]);
  const content = Object.entries(response.content ?? {}).map(([type, media]) => [type.split(';')[0], media.schema]);
  return {
    status: Number(status),
    headers: Object.fromEntries(headers.filter(([, header]) => header.required).map(([name, header]) => [name, header.schema])),
    content: content.length ? Object.fromEntries(content) : undefined,
  };
}

function item(step, id, converted) {
  const operation = operations.get(step.operation);
  const status = step.status ?? firstSuccess(operation);
  const { method, description, url, header, body } = structuredClone(converted.get(step.operation).request);
  const entries = (list) => list.map((entry) => setParameter(entry, operation, step));
  const query = entries(url.query);
  const sent = query.filter((entry) => !entry.disabled).map((entry) => `${entry.key}=${entry.value}`);
  const script = [
    ...Object.entries(step.expect ?? {}).map(
      ([field, value]) =>
        `pm.test('\`${field}\` is the text of the articles', () => pm.expect(body.${field}).to.equal(${JSON.stringify(value)}));`,
    ),
    ...Object.entries(step.keep ?? {}).map(([name, value]) => `pm.collectionVariables.set('${name}', ${value});`),
  ];
  if (script.some((line) => line.includes('body.'))) script.unshift('const body = pm.response.json();');
  const expected = JSON.stringify(expectation(responseOf(operation, status), status), null, 2);
  const event = (listen, lines) => ({ listen, script: { type: 'text/javascript', exec: lines } });
  const auth = !isSecured(operation) || step.token === null ? { type: 'noauth' } : step.token && bearer(step.token);
  return {
    id,
    name: step.name ?? operation.summary,
    event: [
      event('prerequest', `pm.variables.set('expected', JSON.stringify(${expected}));`.split('\n')),
      ...(script.length ? [event('test', script)] : []),
    ],
    request: {
      method,
      description: description.content,
      ...(auth && { auth }),
      header: entries(header),
      ...(body && { body: setBody(body, step.body) }),
      url: {
        raw: `{{baseUrl}}/${url.path.join('/')}${sent.length ? `?${sent.join('&')}` : ''}`,
        host: url.host,
        path: url.path,
        query,
        variable: entries(url.variable),
      },
    },
  };
}

/** Converted items with their operation ids, which the converter drops. */
function* withOperations(folder) {
  for (const entry of folder.item) {
    const path = `/${entry.request.url.path.join('/')}`.replace(/:(\w+)/g, '{$1}');
    const [id] = [...operations].find(
      ([, operation]) => operation.path === path && operation.method.toUpperCase() === entry.request.method,
    );
    yield { ...entry, operation: id };
  }
}

function overlay(collection) {
  const folders = collection.item.map((folder) => ({ ...folder, item: [...withOperations(folder)] }));
  const converted = new Map(folders.flatMap((folder) => folder.item).map((entry) => [entry.operation, entry]));
  const kept = new Set();
  const items = folders.map(({ name, description, item: entries }) => ({
    id: name,
    name,
    description: description.content,
    item: stepsOf(entries).map((step, place) => {
      Object.keys(step.keep ?? {}).forEach((variable) => kept.add(variable));
      return item(step, step.name ? `${name}-${place}-${step.operation}` : step.operation, converted);
    }),
  }));
  const assertions = readFileSync(join(__dirname, 'assertions.js'), 'utf8').trimEnd();
  const components = `const components = ${JSON.stringify({ schemas: document.components.schemas }, null, 2)};`;
  return {
    info: {
      _postman_id: ID,
      name: document.info.title,
      description: document.info.description,
      schema: collection.info.schema,
    },
    auth: bearer('token'),
    event: [{ listen: 'test', script: { type: 'text/javascript', exec: `${components}\n${assertions}`.split('\n') } }],
    variable: [...Object.entries(variables), ...[...kept].map((name) => [name, ''])].map(([key, value]) => ({
      key,
      value,
      type: 'string',
    })),
    item: items,
  };
}

const options = { folderStrategy: 'Tags', requestParametersResolution: 'Example', parametersResolution: 'Example' };
convert({ type: 'json', data: document }, options, (error, result) => {
  if (error || !result.result) throw error ?? new Error(result.reason);
  process.stdout.write(`${JSON.stringify(overlay(result.output[0].data), null, 2)}\n`);
});
