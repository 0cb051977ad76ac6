// The login, as all tabs share it: opened, renewed before its token expires, and ended. Whoever wants to know of
// changes, made here or in another tab, calls `onChange`.

import * as api from "./session-api.js";
import { inTurn, onForeignWrite, read, write } from "./session-store.js";

export { read as current } from "./session-store.js";

const LOGIN_HINT = "try out POST /login, or log in here";
/** A token is renewed a minute before its end; one that lives for less than four, when a quarter is left. */
const RENEWED_BEFORE_MS = 60_000;
const RETRY_MS = 5_000;
/** The problem that everything is answered with, GET /me too, until the password is changed. */
const PASSWORD_CHANGE_DUE = "/problems/password-change-due";

const listeners = [];
let renewing = null;
let nextTry = 0;

/** `listener(session, sentence)`: the login or null, and why or what to do about it. */
export const onChange = (listener) => listeners.push(listener);

function changed(sentence = LOGIN_HINT) {
  const session = read();
  for (const listener of listeners) listener(session, sentence);
}

function keep(session, sentence) {
  write(session);
  changed(sentence);
}

/** Starts with what earlier visits or other tabs have left. */
export async function start() {
  onForeignWrite(() => changed());
  changed();
  await lookAfter();
  const refusedToken = await inTurn(async () => {
    const session = read();
    if (session === null) return null;
    const answer = await api.whoAmI(session.token);
    noteWho(session.token, answer);
    return answer.status === 401 ? session.token : null;
  });
  if (refusedToken !== null) await refused(refusedToken);
}

/** Logs in. Answers null, or why that did not work. */
export function logIn(username, password) {
  return inTurn(async () => {
    const answer = await api.logIn(username, password);
    if (answer.status !== 200) return api.reason(answer);
    await adopt(answer.body);
    return null;
  });
}

/** Takes over what somebody else has got from POST /login, or from POST /token/refresh with our refresh token. */
export const take = (tokens) => inTurn(() => adopt(tokens));

/** Takes over a token without a refresh token; does nothing where it is the one that is held. */
export function takeBare(token) {
  return inTurn(async () => {
    if (read()?.token === token) return;
    keep({ token, refreshToken: null, expiresAt: null, renewAt: null, me: null, passwordDue: false });
    await learnWho(token);
  });
}

/** Keeps new tokens before anything else: the refresh token before them is used up, and the next tab in turn reads
 *  what was written only a moment after it is. */
async function adopt(tokens, me = null) {
  const now = Date.now();
  const lifetime = tokens.expires_in * 1000;
  keep({
    token: tokens.token,
    refreshToken: tokens.refresh_token,
    expiresAt: now + lifetime,
    renewAt: now + Math.max(lifetime - RENEWED_BEFORE_MS, lifetime * 0.75),
    me,
    passwordDue: false,
  });
  await learnWho(tokens.token);
}

/** Asks again who is logged in, since that may have changed. */
export function askAgain() {
  return inTurn(async () => {
    const session = read();
    if (session !== null) noteWho(session.token, await api.whoAmI(session.token));
  });
}

/** The same for a new token, which is of no use where the server refuses it. */
async function learnWho(token) {
  const answer = await api.whoAmI(token);
  if (answer.status === 401) end(token, "the server refused the token");
  else noteWho(token, answer);
}

function noteWho(token, answer) {
  const session = read();
  // Another login or a logout may have come in between.
  if (session?.token !== token) return;
  if (answer.status === 200) {
    session.me = answer.body;
    // By the difference of two times of the server's: this machine's clock may be wrong.
    session.expiresAt ??= Date.now() + Date.parse(answer.body.expires_at) - answer.date;
  } else if (answer.status !== 403) {
    return;
  }
  session.passwordDue = `${answer.body?.type}`.endsWith(PASSWORD_CHANGE_DUE);
  keep(session);
}

/** Forgets this token, unless another login has come in between. */
export function end(token, sentence) {
  if (read()?.token === token) keep(null, sentence);
}

/** Renews the token when it is time, and ends what can no longer be renewed. To be called every second or so. */
export async function lookAfter() {
  const session = read();
  const now = Date.now();
  if (session === null || now < nextTry) return;
  if (session.refreshToken === null) {
    if (session.expiresAt !== null && session.expiresAt <= now) end(session.token, "the token has expired");
  } else if (session.renewAt <= now) {
    await renew(session.token);
  }
}

/** The token to send in the place of `token`, which may have expired while this machine slept. */
export async function fresh(token) {
  const session = read();
  if (session?.token !== token || session.refreshToken === null || Date.now() < session.expiresAt) return token;
  await renew(token);
  return read()?.token ?? token;
}

/** Sees to a token that the server has refused: there may be a newer one to be had. */
export async function refused(token) {
  const session = read();
  if (session?.token !== token) return;
  if (session.refreshToken === null) end(token, "the server refused the token");
  else await renew(token);
}

/** Exchanges the token for the next one, once for all tabs: whoever gets its turn later finds that it is done. */
function renew(token) {
  renewing ??= inTurn(() => exchange(token)).finally(() => {
    renewing = null;
  });
  return renewing;
}

async function exchange(token) {
  const session = read();
  if (session?.token !== token) return;
  const answer = await api.refresh(session.refreshToken);
  // Where there are no locks, another tab may have been faster.
  if (read()?.token !== token) return;
  if (answer.status === 200) {
    await adopt(answer.body, session.me);
  } else if (isFinal(answer.status)) {
    end(token, `the login could not be renewed: ${api.reason(answer)}`);
  } else {
    nextTry = Date.now() + RETRY_MS;
  }
}

/** Whether asking again would be answered the same: a request refused, and not one put off. */
const isFinal = (status) => status >= 400 && status < 500 && status !== 408 && status !== 429;

/** Forgets the login in all tabs and ends its session. */
export function logOut() {
  return inTurn(async () => {
    const session = read();
    if (session === null) return;
    keep(null);
    let answer = await api.logOut(session.token);
    if (answer.status === 401 && session.refreshToken !== null) {
      // Only who holds a good token may end the session, and this one had expired.
      const renewed = await api.refresh(session.refreshToken);
      if (renewed.status === 200) answer = await api.logOut(renewed.body.token);
    }
    // A 401 now: there is no such session any more.
    if (answer.status !== 204 && answer.status !== 401) {
      changed(`the login is forgotten here, but its session goes on: ${api.reason(answer)}`);
    }
  });
}
