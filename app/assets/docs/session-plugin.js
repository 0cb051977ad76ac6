// Connects Swagger UI to the login: operations send the token, and a login, logout or pasted token in an operation or in the
// Authorize dialog has the same effect as in the bar.

import { API_ROOT } from "./session-api.js";
import * as session from "./session.js";

/** The security scheme's name in the API document. */
const SECURITY_SCHEME = "bearer";

let ui = null;
/** The token that Swagger UI sends, or null. */
let sentToken = null;

/** Starts the synchronisation. Requires that Swagger UI has loaded the API document. */
export function connect(swaggerUi) {
  if (ui !== null) return;
  ui = swaggerUi;
  session.onChange(syncToken);
  syncToken(session.current());
}

function syncToken(login) {
  const token = login?.token ?? null;
  if (token === sentToken) return;
  sentToken = token;
  // This call bypasses plugins, so the plugin below does not observe it.
  if (token !== null) ui.preauthorizeApiKey(SECURITY_SCHEME, token);
  else ui.authActions.logout([SECURITY_SCHEME]);
}

/** Observes the actions of the Authorize dialog and all responses. */
export const plugin = () => ({
  statePlugins: {
    auth: {
      wrapActions: {
        authorize: (authorize) => (payload) => {
          const action = authorize(payload);
          const token = payload[SECURITY_SCHEME]?.value;
          if (token) {
            sentToken = token;
            session.useAccessToken(token);
          }
          return action;
        },
        logout: (logout) => (schemes) => {
          const action = logout(schemes);
          if (schemes.includes(SECURITY_SCHEME) && sentToken !== null) {
            sentToken = null;
            session.logOut();
          }
          return action;
        },
      },
    },
    spec: {
      wrapActions: {
        setResponse: (setResponse) => (path, method, response) => {
          handleResponse(`${method} ${path}`, response, ui.specSelectors.mutatedRequestFor(path, method)?.toJS() ?? {});
          return setResponse(path, method, response);
        },
      },
    },
  },
});

function handleResponse(operation, response, request) {
  const login = session.current();
  const status = response.err ? response.err.status : response.status;
  const usesLogin = login !== null && request.headers?.Authorization === `Bearer ${login.token}`;
  if (status === 200 && operation === "post /login") {
    session.useTokens(response.body);
  } else if (status === 200 && operation === "post /token/refresh") {
    if (login?.refreshToken && `${request.body}`.includes(login.refreshToken)) session.useTokens(response.body);
  } else if (status === 204 && operation === "post /logout") {
    if (usesLogin) session.end(login.token);
  } else if (usesLogin && status === 401) {
    session.handleRejection(login.token);
  } else if (usesLogin && (status === 403 || (status === 204 && operation === "put /me/password"))) {
    // The role may have changed, or whether a password change is required.
    session.reloadUser();
  }
}

/** Corrects the URL and the token of a request before it is sent. */
export async function prepareRequest(request) {
  const url = new URL(request.url, document.baseURI);
  // The document's server is "/" if the proxy forwards no path prefix.
  if (url.origin === API_ROOT.origin && !url.pathname.startsWith(API_ROOT.pathname)) {
    url.pathname = API_ROOT.pathname + url.pathname.slice(1);
    request.url = url.href;
  }
  const [scheme, token] = (request.headers?.Authorization ?? "").split(" ");
  if (scheme === "Bearer" && url.origin === API_ROOT.origin) {
    request.headers.Authorization = `Bearer ${await session.currentToken(token)}`;
  }
  return request;
}
