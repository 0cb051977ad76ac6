// The four requests that a login is made of. None of them throws: what came is `{ status, body }`, with the
// answer's JSON or null, and an answer that never came counts as status 0.
//
// Tokens travel in a header or in a body, never in a URL: URLs end up in logs and histories. Every URL is
// relative to the page, so that it works behind a path prefix too.

export const API_ROOT = new URL("../", document.baseURI);

// A request that hangs would keep the other tabs waiting for their turn.
const PATIENCE_MS = 15_000;

export const logIn = (username, password) => post("login", { Username: username, Password: password });

export const refresh = (refreshToken) => post("token/refresh", { refresh_token: refreshToken });

// `keepalive`: a tab that is closed right after "Log out" still ends its session.
export const logOut = (token) => ask("logout", { method: "POST", headers: bearer(token), keepalive: true });

export const whoAmI = (token) => ask("me", { headers: bearer(token) });

/** What to tell a person of an answer that was no success. */
export function reason(answer) {
  if (answer.status === 0) return "the server did not answer";
  return answer.body?.detail ?? answer.body?.title ?? `the server answered ${answer.status}`;
}

const bearer = (token) => ({ Authorization: `Bearer ${token}` });

function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  return ask(path, { method: "POST", headers, body: JSON.stringify(body) });
}

async function ask(path, request) {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(new URL(path, API_ROOT), { cache: "no-store", signal, ...request });
    const date = Date.parse(response.headers.get("Date"));
    return { status: response.status, date, body: await response.json().catch(() => null) };
  } catch {
    return { status: 0, date: NaN, body: null };
  }
}
