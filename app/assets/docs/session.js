// The login that all tabs share: starts it, renews it before its token expires, and ends it. `onChange` registers listeners for
// changes in this tab and in others.

import * as api from "./session-api.js";
import { onExternalWrite, read, withLock, write } from "./session-store.js";

export { read as current } from "./session-store.js";

const LOGIN_HINT = "try out POST /login, or log in here";
/** Renewal time before the expiry. Tokens that live for less than four minutes are renewed after three quarters. */
const RENEW_BEFORE_MS = 60_000;
const RETRY_MS = 5_000;
/** The problem type of every response, including GET /me, until the password is changed. */
const PASSWORD_CHANGE_DUE = "/problems/password-change-due";

const listeners = [];
let renewing = null;
let nextRetryAt = 0;

/** Adds `listener(session, message)`: the login or null, and the reason or next step to display. */
export const onChange = (listener) => listeners.push(listener);

function notify(message = LOGIN_HINT) {
  const session = read();
  for (const listener of listeners) listener(session, message);
}

function save(session, message) {
  write(session);
  notify(message);
}

/** Restores and checks the login of earlier visits or other tabs. */
export async function start() {
  onExternalWrite(() => notify());
  notify();
  await renewOrExpire();
  const rejectedToken = await withLock(async () => {
    const session = read();
    if (session === null) return null;
    const response = await api.getMe(session.token);
    updateUser(session.token, response);
    return response.status === 401 ? session.token : null;
  });
  if (rejectedToken !== null) await handleRejection(rejectedToken);
}

/** Logs in. Returns null, or an error message. */
export function logIn(username, password) {
  return withLock(async () => {
    const response = await api.logIn(username, password);
    if (response.status !== 200) return api.errorMessage(response);
    await saveTokens(response.body);
    return null;
  });
}

/** Uses the tokens from a POST /login or POST /token/refresh in Swagger UI. */
export const useTokens = (tokens) => withLock(() => saveTokens(tokens));

/** Uses a token without a refresh token, unless it is already in use. */
export function useAccessToken(token) {
  return withLock(async () => {
    if (read()?.token === token) return;
    save({ token, refreshToken: null, expiresAt: null, renewAt: null, me: null, passwordDue: false });
    await loadUser(token);
  });
}

/** Saves new tokens before the request for the user: the previous refresh token is used up, and the next tab that gets the
 *  lock must read the new one. */
async function saveTokens(tokens, me = null) {
  const now = Date.now();
  const lifetime = tokens.expires_in * 1000;
  save({
    token: tokens.token,
    refreshToken: tokens.refresh_token,
    expiresAt: now + lifetime,
    renewAt: now + Math.max(lifetime - RENEW_BEFORE_MS, lifetime * 0.75),
    me,
    passwordDue: false,
  });
  await loadUser(tokens.token);
}

/** Reloads the user's data, which may have changed. */
export function reloadUser() {
  return withLock(async () => {
    const session = read();
    if (session !== null) updateUser(session.token, await api.getMe(session.token));
  });
}

/** Loads the user of a new token. Ends the login if the server rejects the token. */
async function loadUser(token) {
  const response = await api.getMe(token);
  if (response.status === 401) end(token, "the server rejected the token");
  else updateUser(token, response);
}

function updateUser(token, response) {
  const session = read();
  // Another login or a logout may have happened in the meantime.
  if (session?.token !== token) return;
  if (response.status === 200) {
    session.me = response.body;
    // The difference of two server times, because the local clock may be wrong.
    session.expiresAt ??= Date.now() + Date.parse(response.body.expires_at) - response.date;
  } else if (response.status !== 403) {
    return;
  }
  session.passwordDue = `${response.body?.type}`.endsWith(PASSWORD_CHANGE_DUE);
  save(session);
}

/** Removes the login, unless another one has replaced it. */
export function end(token, message) {
  if (read()?.token === token) save(null, message);
}

/** Renews the token if it is due. Ends an expired login that cannot be renewed. Called about once a second. */
export async function renewOrExpire() {
  const session = read();
  const now = Date.now();
  if (session === null || now < nextRetryAt) return;
  if (session.refreshToken === null) {
    if (session.expiresAt !== null && session.expiresAt <= now) end(session.token, "the token has expired");
  } else if (session.renewAt <= now) {
    await renew(session.token);
  }
}

/** The token to send instead of `token`, which may have expired during a suspend. */
export async function currentToken(token) {
  const session = read();
  if (session?.token !== token || session.refreshToken === null || Date.now() < session.expiresAt) return token;
  await renew(token);
  return read()?.token ?? token;
}

/** Renews a token that the server has rejected, or ends the login. */
export async function handleRejection(token) {
  const session = read();
  if (session?.token !== token) return;
  if (session.refreshToken === null) end(token, "the server rejected the token");
  else await renew(token);
}

/** Exchanges the token for a new one, once for all tabs: a tab that gets the lock later finds the new token. */
function renew(token) {
  renewing ??= withLock(() => exchange(token)).finally(() => {
    renewing = null;
  });
  return renewing;
}

async function exchange(token) {
  const session = read();
  if (session?.token !== token) return;
  const response = await api.refresh(session.refreshToken);
  // Without locks, another tab may have replaced the token.
  if (read()?.token !== token) return;
  if (response.status === 200) {
    await saveTokens(response.body, session.me);
  } else if (isFinal(response.status)) {
    end(token, `the login could not be renewed: ${api.errorMessage(response)}`);
  } else {
    nextRetryAt = Date.now() + RETRY_MS;
  }
}

/** Whether a retry would have the same result: the request was rejected, not deferred. */
const isFinal = (status) => status >= 400 && status < 500 && status !== 408 && status !== 429;

/** Removes the login in all tabs and ends its session on the server. */
export function logOut() {
  return withLock(async () => {
    const session = read();
    if (session === null) return;
    save(null);
    let response = await api.logOut(session.token);
    if (response.status === 401 && session.refreshToken !== null) {
      // Ending a session requires a valid token, and this one has expired.
      const renewed = await api.refresh(session.refreshToken);
      if (renewed.status === 200) response = await api.logOut(renewed.body.token);
    }
    // 401: the session has already ended.
    if (response.status !== 204 && response.status !== 401) {
      notify(`the session could not be ended on the server: ${api.errorMessage(response)}`);
    }
  });
}
