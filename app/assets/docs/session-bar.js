// The bar above Swagger UI: who is logged in and for how long, the form to log in with, and "Log out".

import * as session from "./session.js";

const statusLine = document.getElementById("session-status");
const timeLeft = document.getElementById("time-left");
const passwordDue = document.getElementById("password-due");
const form = document.getElementById("log-in");
const logOutButton = document.getElementById("log-out");

let busy = false;

/** Starts the bar; `showPasswordChange` leads to the operation that changes one's own password. */
export function start(showPasswordChange) {
  form.addEventListener("submit", submit);
  logOutButton.addEventListener("click", session.logOut);
  passwordDue.querySelector("button").addEventListener("click", showPasswordChange);
  session.onChange(show);
  setInterval(() => {
    showTimeLeft();
    session.lookAfter();
  }, 1000);
}

function show(login, sentence) {
  const focused = document.activeElement;
  form.hidden = login !== null;
  logOutButton.hidden = login === null;
  passwordDue.hidden = !login?.passwordDue;
  say(login === null ? `Not logged in: ${sentence}` : describe(login.me));
  showTimeLeft();
  // What had the keyboard's focus is gone, and the keyboard's place on the page with it.
  if (focused !== null && focused.closest(".session-bar [hidden]") !== null) statusLine.focus();
}

const describe = (me) => (me ? `Logged in as ${me.username} (${me.role})` : "Logged in");

/** A status region announces whatever is written into it, so only what is new is. */
function say(text) {
  if (statusLine.textContent !== text) statusLine.textContent = text;
}

/** Stands outside the status region: nobody wants to hear it every second. */
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
  // The policy forbids forms to be sent: a password can get into no URL.
  event.preventDefault();
  if (busy) return;
  busy = true;
  const { username, password } = form.elements;
  const failure = await session.logIn(username.value, password.value);
  busy = false;
  if (failure === null) {
    form.reset();
  } else {
    // Emptied first, or a second failure of the same kind would not be announced.
    statusLine.textContent = "";
    say(`Not logged in: ${failure}`);
    password.select();
  }
}
