// Runs in Postman after each response. `expected` is set by the request's own script, from openapi.yaml.
const expected = JSON.parse(pm.variables.get('expected'));
const fits = (value, schema) =>
  pm.expect(value).to.have.jsonSchema({ ...schema, components }, { nullable: true, unknownFormats: 'ignore' });

pm.test(`Status is ${expected.status}`, () => pm.response.to.have.status(expected.status));
for (const [name, schema] of Object.entries(expected.headers)) {
  pm.test(`Header ${name} fits its schema`, () => {
    pm.response.to.have.header(name);
    const value = pm.response.headers.get(name);
    fits(schema.type === 'integer' ? Number(value) : value, schema);
  });
}
const mediaType = String(pm.response.headers.get('Content-Type')).split(';')[0];
if (expected.content === undefined) {
  pm.test('Body is empty', () => pm.expect(pm.response.text()).to.equal(''));
} else {
  pm.test('Media type is documented', () => pm.expect(expected.content).to.have.property(mediaType));
  pm.test('Body fits its schema', () => {
    const schema = expected.content[mediaType];
    // Postman cannot parse other formats, of which NDJSON is one.
    if (/[/+]json$/.test(mediaType)) fits(pm.response.json(), schema);
    else pm.expect(pm.response.text()).to.not.equal('');
  });
}
