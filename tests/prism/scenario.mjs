// What a client does on a working day, through a proxy that holds every request and every answer against the document.
// usage: node scenario.mjs BASE_URL ANNOUNCEMENT, the second being what contract mode tells scripts.

const [base, announcement] = process.argv.slice(2);
const told = JSON.parse(announcement);
const [registrar, admin] = ["registrar", "admin"].map((name) => told.users.find((user) => user.username === name));

let token;
let passed = 0;
let failed = 0;

/** Asks, and says whether the answer is the one that was expected and the proxy found nothing wrong on the way. */
async function step(name, method, path, { status, type, body, headers = {} }) {
  const sent = { ...headers, ...(token && { authorization: `Bearer ${token}` }) };
  if (body !== undefined) sent["content-type"] = "application/json";
  const answer = await fetch(base + path, { method, headers: sent, body: body && JSON.stringify(body) });
  const text = await answer.text();
  const json = answer.headers.get("content-type")?.includes("json") ? JSON.parse(text) : undefined;
  const violations = answer.headers.get("sl-violations") ?? (json?.type?.includes("stoplight.io") ? text : undefined);
  const good = answer.status === status && !violations && (type === undefined || json.type === `/problems/${type}`);
  good ? (passed += 1) : (failed += 1);
  console.log(`${good ? "passed" : "FAILED"}  ${name}: ${method} ${path}: ${answer.status}${good ? "" : ` ${violations ?? text}`}`);
  return { json, headers: answer.headers };
}

const credentials = (user) => ({ Username: user.username, Password: user.password });

// Without any token prism would refuse by itself, and ask nobody.
for (const name of ["expired", "forged"]) {
  token = told.tokens[name];
  await step(`a token that is ${name}`, "GET", "/students", { status: 401, type: "unauthorized" });
}
token = undefined;
await step("a wrong password", "POST", "/login", {
  status: 401,
  body: { Username: registrar.username, Password: "wrong" },
});
const login = await step("log in", "POST", "/login", { status: 200, body: credentials(registrar) });
token = login.json?.token;
await step("who am I", "GET", "/me", { status: 200 });

let next;
let students = 0;
do {
  const page = await step("a page", "GET", `/students?limit=10${next ? `&after=${next}` : ""}`, { status: 200 });
  students += page.json?.students?.length ?? 0;
  next = page.json?.next;
} while (next);
students === told.student_ids.length ? (passed += 1) : (failed += 1);
console.log(`${students} students on all pages`);

const body = { name: "Tara Rao", email: "tara.rao@example.org", roll_no: 4711, age: 20 };
const made = await step("enrol", "POST", "/students", { status: 201, body });
const path = `/students/${made.json?.id}`;
const etag = made.headers.get("etag");
await step("a number that is taken", "POST", "/students", { status: 409, type: "roll-number-taken", body });
await step("read", "GET", path, { status: 200 });
await step("nothing new", "GET", path, { status: 304, headers: { "if-none-match": etag } });
await step("a stale version", "PUT", path, { status: 412, body, headers: { "if-match": '"s1-999"' } });
await step("replace", "PUT", path, { status: 200, body: { ...body, name: "Tara R. Rao" }, headers: { "if-match": etag } });
await step("patch with null", "PATCH", path, { status: 200, body: { age: null } });
await step("nobody", "GET", "/students/999999", { status: 404, type: "unknown-student" });
await step("the whole roll", "GET", "/student", { status: 200 });
await step("a role too low", "GET", "/users", { status: 403, type: "insufficient-role" });
const refresh = { refresh_token: login.json?.refresh_token };
const refreshed = await step("refresh", "POST", "/token/refresh", { status: 200, body: refresh });
token = refreshed.json?.token;
await step("remove", "DELETE", path, { status: 204 });
await step("sessions", "GET", "/me/sessions", { status: 200 });
await step("log out", "POST", "/logout", { status: 204 });
await step("the token is refused now", "GET", "/me", { status: 401, type: "unauthorized" });
token = undefined;

token = (await step("an administrator", "POST", "/login", { status: 200, body: credentials(admin) })).json?.token;
const user = { username: "meera", password: "slow river under seven bridges", role: "viewer" };
const created = await step("make a user", "POST", "/users", { status: 201, body: user });
await step("users", "GET", "/users", { status: 200 });
await step("disable", "PATCH", `/users/${created.json?.id}`, { status: 200, body: { status: "disabled" } });
await step("reset a password", "POST", `/users/${created.json?.id}/password-reset`, { status: 200 });
await step("the audit", "GET", "/audit-events?limit=20", { status: 200 });
await step("keys", "GET", "/.well-known/jwks.json", { status: 200 });
await step("remove a user", "DELETE", `/users/${created.json?.id}`, { status: 204 });

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
