// Swagger UI's side of the login: every operation sends the token, and what is done with operations or in the
// Authorize dialog (a login, a logout, a token pasted) counts like what is done in the bar.

import { API_ROOT } from "./session-api.js";
import * as session from "./session.js";

/** The security scheme's name in the API document. */
const SECURITY_SCHEME = "bearer";

let ui = null;
/** The token that Swagger UI sends, as far as it was told. */
let told = null;

/** Begins to keep Swagger UI in step, once it has read the API document. */
export function follow(swaggerUi) {
  if (ui !== null) return;
  ui = swaggerUi;
  session.onChange(tell);
  tell(session.current());
}

function tell(login) {
  const token = login?.token ?? null;
  if (token === told) return;
  told = token;
  // This one call of Swagger UI's goes past plugins, so the plugin below does not see it.
  if (token !== null) ui.preauthorizeApiKey(SECURITY_SCHEME, token);
  else ui.authActions.logout([SECURITY_SCHEME]);
}

/** Sees what people do in the Authorize dialog, and every answer. */
export const plugin = () => ({
  statePlugins: {
    auth: {
      wrapActions: {
        authorize: (authorize) => (payload) => {
          const action = authorize(payload);
          const token = payload[SECURITY_SCHEME]?.value;
          if (token) {
            told = token;
            session.takeBare(token);
          }
          return action;
        },
        logout: (logout) => (schemes) => {
          const action = logout(schemes);
          if (schemes.includes(SECURITY_SCHEME) && told !== null) {
            told = null;
            session.logOut();
          }
          return action;
        },
      },
    },
    spec: {
      wrapActions: {
        setResponse: (setResponse) => (path, method, response) => {
          noteAnswer(`${method} ${path}`, response, ui.specSelectors.mutatedRequestFor(path, method)?.toJS() ?? {});
          return setResponse(path, method, response);
        },
      },
    },
  },
});

function noteAnswer(operation, response, request) {
  const login = session.current();
  const status = response.err ? response.err.status : response.status;
  const borne = login !== null && request.headers?.Authorization === `Bearer ${login.token}`;
  if (status === 200 && operation === "post /login") {
    session.take(response.body);
  } else if (status === 200 && operation === "post /token/refresh") {
    if (login?.refreshToken && `${request.body}`.includes(login.refreshToken)) session.take(response.body);
  } else if (status === 204 && operation === "post /logout") {
    if (borne) session.end(login.token);
  } else if (borne && status === 401) {
    session.refused(login.token);
  } else if (borne && (status === 403 || (status === 204 && operation === "put /me/password"))) {
    // The role may have changed, or a password is due to be changed, or was.
    session.askAgain();
  }
}

/** Mends a request before it is sent. */
export async function mend(request) {
  const url = new URL(request.url, document.baseURI);
  // The document's server is "/": behind a path prefix that is the proxy's root, and not ours.
  if (url.origin === API_ROOT.origin && !url.pathname.startsWith(API_ROOT.pathname)) {
    url.pathname = API_ROOT.pathname + url.pathname.slice(1);
    request.url = url.href;
  }
  const [scheme, token] = (request.headers?.Authorization ?? "").split(" ");
  if (scheme === "Bearer" && url.origin === API_ROOT.origin) {
    request.headers.Authorization = `Bearer ${await session.fresh(token)}`;
  }
  return request;
}
