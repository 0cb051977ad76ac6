// Starts Swagger UI on the API document beside this page, and lets people log in once: the token that
// POST /login answers is applied to every operation, is kept for this tab (a reload keeps it, closing the tab
// ends it), and is forgotten on "Log out" and on the first 401 that it meets.
//
// Every URL is relative to the page, so that it works behind a path prefix too.

/** The security scheme's name in the API document. */
const SECURITY_SCHEME = "bearer";
const LOGIN_PATH = "/login";
const API_ROOT = new URL("../", document.baseURI);
// Two services under one origin share the tab's storage.
const STORAGE_KEY = `rollbook.token ${API_ROOT.pathname}`;

const statusLine = document.getElementById("session-status");
const logOutButton = document.getElementById("log-out");

const storedToken = () => sessionStorage.getItem(STORAGE_KEY);

function remember(token) {
  if (token === storedToken()) return;
  sessionStorage.setItem(STORAGE_KEY, token);
  showSession();
}

function forget() {
  sessionStorage.removeItem(STORAGE_KEY);
  showSession();
}

/** Says in the bar who is logged in. */
async function showSession() {
  const token = storedToken();
  logOutButton.hidden = token === null;
  if (token === null) {
    statusLine.textContent = "Not logged in: try out POST /login";
    return;
  }
  const answer = await whoHolds(token);
  // Another login or a logout may have come in between.
  if (token !== storedToken()) return;
  if (answer.status === 401) {
    dropRefused();
  } else {
    statusLine.textContent = answer.me ? describe(answer.me) : "Logged in";
  }
}

/** The status of GET /me and, where it is 200, its body; an answer that never came counts as status 0. */
async function whoHolds(token) {
  try {
    const response = await fetch(new URL("me", API_ROOT), {
      headers: { Authorization: `Bearer ${token}` },
      cache: "no-store",
    });
    return { status: response.status, me: response.ok ? await response.json() : null };
  } catch {
    return { status: 0, me: null };
  }
}

function describe(me) {
  const holder = `Logged in as ${me.username} (${me.role})`;
  const end = new Date(me.expires_at);
  if (Number.isNaN(end.getTime())) return holder;
  const today = end.toDateString() === new Date().toDateString();
  const day = today ? "" : `${end.toLocaleDateString()} `;
  return `${holder}, until ${day}${end.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })}`;
}

function logIn(token) {
  // This one call of Swagger UI's goes past plugins, so the plugin below does not see it.
  ui.preauthorizeApiKey(SECURITY_SCHEME, token);
  remember(token);
}

function logOut() {
  // Swagger UI fails on the end of a login that it was never told of: a stored token, refused before it is ready.
  if (ui.authSelectors.authorized().has(SECURITY_SCHEME)) ui.authActions.logout([SECURITY_SCHEME]);
  else forget();
}

function dropRefused() {
  logOut();
  statusLine.textContent = "Not logged in: the server refused the token. Try out POST /login";
}

/** Takes the token out of a good login, and lets go of a stored token that the server refused. */
function noteAnswer(path, method, response) {
  const status = response.err ? response.err.status : response.status;
  if (path === LOGIN_PATH && method === "post" && status === 200 && response.body?.token) {
    logIn(response.body.token);
  } else if (status === 401) {
    const sent = ui.specSelectors.mutatedRequestFor(path, method)?.getIn(["headers", "Authorization"]);
    if (sent && sent === `Bearer ${storedToken()}`) dropRefused();
  }
}

/** Keeps the stored token in step with Swagger UI's own state, the Authorize dialog's buttons included. */
const sessionPlugin = () => ({
  statePlugins: {
    auth: {
      wrapActions: {
        authorize: (authorize) => (payload) => {
          const action = authorize(payload);
          const token = payload[SECURITY_SCHEME]?.value;
          if (token) remember(token);
          return action;
        },
        logout: (logout) => (schemes) => {
          const action = logout(schemes);
          if (schemes.includes(SECURITY_SCHEME)) forget();
          return action;
        },
      },
    },
    spec: {
      wrapActions: {
        setResponse: (setResponse) => (path, method, response) => {
          noteAnswer(path, method, response);
          return setResponse(path, method, response);
        },
      },
    },
  },
});

// Swagger UI's dark colours are a class of the root element.
const dark = matchMedia("(prefers-color-scheme: dark)");
const applyColours = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", applyColours);
applyColours();

const ui = SwaggerUIBundle({
  url: new URL("openapi.json", API_ROOT).href,
  dom_id: "#swagger-ui",
  deepLinking: true,
  tryItOutEnabled: true,
  persistAuthorization: false,
  // The default asks a server on the internet.
  validatorUrl: null,
  // The document's server is "/": behind a path prefix that is the proxy's root, and not ours.
  requestInterceptor(request) {
    const url = new URL(request.url, document.baseURI);
    if (url.origin === API_ROOT.origin && !url.pathname.startsWith(API_ROOT.pathname)) {
      url.pathname = API_ROOT.pathname + url.pathname.slice(1);
      request.url = url.href;
    }
    return request;
  },
  plugins: [sessionPlugin],
  onComplete() {
    const token = storedToken();
    if (token !== null) logIn(token);
  },
});

logOutButton.addEventListener("click", () => {
  logOut();
  // The button is gone, and the keyboard's place on the page with it.
  statusLine.focus();
});

showSession();
