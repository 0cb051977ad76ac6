// Where the login is kept: one entry of localStorage, which all tabs of this page share and which outlives them.
//
// Why there, refresh token included: the API takes bearer tokens alone, no cookies, so whatever sends them has to
// hold them where scripts reach; and people want to close a tab and be logged in tomorrow. What threatens such a
// store is a foreign script on this origin. The policy that this page is served with runs scripts from this origin
// alone, none of them inline, nothing that the API answers counts as a script (nosniff, and its own media types),
// and nothing can be sent anywhere but here (connect-src 'self'). A copy that leaks nevertheless betrays itself: a
// refresh token works once, and one that is shown again ends its session. "Log out" ends the session at the
// server, so that nothing that is left on a disk works. sessionStorage would be in reach of the same scripts.

import { API_ROOT } from "./session-api.js";

// Two services under one origin share its storage.
const KEY = `rollbook.session ${API_ROOT.pathname}`;

/** The login: `{ token, refreshToken, expiresAt, renewAt, me, passwordDue }`, times in milliseconds of this machine's
 *  clock; the refresh token, the times and `me` (the answer of GET /me) may be null, and `passwordDue` tells whether
 *  the password has to be changed first. Null where nobody is logged in. */
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

/** Calls `listener` when another tab has written. */
export function onForeignWrite(listener) {
  // A key of null: somebody has cleared the whole storage.
  addEventListener("storage", (event) => {
    if (event.key === KEY || event.key === null) listener();
  });
}

/** Runs `work` while no other tab does: a refresh token works once. Browsers know locks on HTTPS and on localhost
 *  alone; elsewhere two tabs may refresh at once, and the server answers both the same successor. */
export const inTurn = (work) => (navigator.locks ? navigator.locks.request(KEY, work) : work());

/** A browser that keeps nothing for this site throws already at the name; then the login lives as long as the page. */
function available() {
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

const storage = available();
