// The bar above Swagger UI: the user, the token's remaining lifetime, the login form and "Log out".

import * as session from "./session.js";

const statusLine = document.getElementById("session-status");
const timeLeft = document.getElementById("time-left");
const passwordDue = document.getElementById("password-due");
const form = document.getElementById("log-in");
const logOutButton = document.getElementById("log-out");

let busy = false;

/** Starts the bar. `showPasswordChange` opens the operation that replaces the user's own password. */
export function start(showPasswordChange) {
  form.addEventListener("submit", submit);
  logOutButton.addEventListener("click", session.logOut);
  passwordDue.querySelector("button").addEventListener("click", showPasswordChange);
  session.onChange(show);
  setInterval(() => {
    showTimeLeft();
    session.renewOrExpire();
  }, 1000);
}

function show(login, message) {
  const focused = document.activeElement;
  form.hidden = login !== null;
  logOutButton.hidden = login === null;
  passwordDue.hidden = !login?.passwordDue;
  setStatus(login === null ? `Not logged in: ${message}` : describe(login.me));
  showTimeLeft();
  // The focused element is hidden now: without this, the keyboard focus would return to the start of the page.
  if (focused !== null && focused.closest(".session-bar [hidden]") !== null) statusLine.focus();
}

const describe = (me) => (me ? `Logged in as ${me.username} (${me.role})` : "Logged in");

/** The text with the characters escaped that the server's command line escapes (`Escaped` in domain/src/kernel/invisible.rs), and
 *  with line feeds and tabs escaped: a username of an earlier release may contain controls of the text direction. */
export const escaped = (text) =>
  text.replace(
    /[\p{Default_Ignorable_Code_Point}\p{Cc}\u2028\u2029\u2800\ufff9-\ufffb]/gu,
    (character) => `\\u{${character.codePointAt(0).toString(16)}}`,
  );

/** Writes only new text, because screen readers announce every write to a status region. */
function setStatus(text) {
  const shown = escaped(text);
  if (statusLine.textContent !== shown) statusLine.textContent = shown;
}

/** Updates the time outside the status region: a screen reader would announce it every second. */
function showTimeLeft() {
  const expiresAt = session.current()?.expiresAt ?? null;
  timeLeft.textContent = expiresAt === null ? "" : `Token: ${duration(expiresAt - Date.now())} left`;
}

function duration(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const days = Math.floor(seconds / 86_400);
  if (days > 1) return `${days} days`;
  const parts = [Math.floor(seconds / 3600), Math.floor((seconds / 60) % 60), seconds % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, index) => `${part}`.padStart(index === 0 ? 1 : 2, "0")).join(":");
}

async function submit(event) {
  // The content security policy forbids form submission, so that no password becomes part of a URL.
  event.preventDefault();
  if (busy) return;
  busy = true;
  const { username, password } = form.elements;
  const error = await session.logIn(username.value, password.value);
  busy = false;
  if (error === null) {
    form.reset();
  } else {
    // Cleared first: otherwise the same message would not be announced again.
    statusLine.textContent = "";
    setStatus(`Not logged in: ${error}`);
    password.select();
  }
}
