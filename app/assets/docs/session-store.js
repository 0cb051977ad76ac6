// Persistence of the login: one entry of localStorage, which all tabs share and which survives a restart of the browser.
//
// The API accepts only bearer tokens, no cookies, so scripts must have access to the tokens. The threat is a foreign script on
// this origin. The content security policy allows only scripts of this origin, no inline scripts, and requests only to this
// origin; API responses do not run as scripts (nosniff, other media types). A stolen refresh token is detected: it works once,
// and a second use ends the session. "Log out" ends the session on the server, so tokens left on a disk are invalid.
// sessionStorage is accessible to the same scripts and not shared by tabs.

import { API_ROOT } from "./session-api.js";

// Includes the path, because services of one origin share the storage.
const KEY = `rollbook.session ${API_ROOT.pathname}`;

/** The login `{ token, refreshToken, expiresAt, renewAt, me, passwordDue }`, or null. Times are milliseconds of the local
 *  clock. `refreshToken`, the times and `me` (the response of GET /me) may be null. `passwordDue`: whether the password must
 *  be changed first. */
export function read() {
  try {
    const session = JSON.parse(storage.getItem(KEY));
    return typeof session?.token === "string" ? session : null;
  } catch {
    return null;
  }
}

export function write(session) {
  if (session === null) storage.removeItem(KEY);
  else storage.setItem(KEY, JSON.stringify(session));
}

/** Calls `listener` after another tab has written. */
export function onExternalWrite(listener) {
  // The key is null if the whole storage was cleared.
  addEventListener("storage", (event) => {
    if (event.key === KEY || event.key === null) listener();
  });
}

/** Runs `work` under a lock that all tabs share, because a refresh token works once. Browsers support locks only on HTTPS and
 *  localhost; otherwise two tabs may refresh at once, and the server returns the same new tokens to both. */
export const withLock = (work) => (navigator.locks ? navigator.locks.request(KEY, work) : work());

/** The storage. If site data is blocked, access to localStorage throws, and the login lasts as long as the page. */
function openStorage() {
  try {
    return localStorage;
  } catch {
    const entries = new Map();
    return {
      getItem: (key) => entries.get(key) ?? null,
      setItem: (key, value) => entries.set(key, value),
      removeItem: (key) => entries.delete(key),
    };
  }
}

const storage = openStorage();
