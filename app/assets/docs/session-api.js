// The four requests of a login session. They never throw. Each returns `{ status, date, body }`: `date` is the server's time
// in milliseconds or NaN, `body` the parsed JSON or null. If there is no response, `status` is 0.
//
// Tokens are sent in a header or body, never in a URL, which logs and histories would keep. URLs are relative to the page, so
// that they work behind a path prefix.

export const API_ROOT = new URL("../", document.baseURI);

// A request without a response would hold the lock that all tabs share.
const TIMEOUT_MS = 15_000;

export const logIn = (username, password) => post("login", { Username: username, Password: password });

export const refresh = (refreshToken) => post("token/refresh", { refresh_token: refreshToken });

// `keepalive`: the request completes even if the tab is closed right after "Log out".
export const logOut = (token) => send("logout", { method: "POST", headers: bearer(token), keepalive: true });

export const getMe = (token) => send("me", { headers: bearer(token) });

/** The message to display for an unsuccessful response. */
export function errorMessage(response) {
  if (response.status === 0) return "the server did not respond";
  return response.body?.detail ?? response.body?.title ?? `the server responded with status ${response.status}`;
}

const bearer = (token) => ({ Authorization: `Bearer ${token}` });

function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  return send(path, { method: "POST", headers, body: JSON.stringify(body) });
}

async function send(path, request) {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(new URL(path, API_ROOT), { cache: "no-store", signal, ...request });
    const date = Date.parse(response.headers.get("Date"));
    return { status: response.status, date, body: await response.json().catch(() => null) };
  } catch {
    return { status: 0, date: NaN, body: null };
  }
}
