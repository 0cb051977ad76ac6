// Starts the page: Swagger UI with the API document, and the bar with the shared login.

import * as bar from "./session-bar.js";
import { API_ROOT } from "./session-api.js";
import { connect, plugin, prepareRequest } from "./session-plugin.js";
import * as session from "./session.js";
import { nameControls } from "./swagger-ui-names.js";

// Swagger UI has dark colours if the root element has this class.
const dark = matchMedia("(prefers-color-scheme: dark)");
const applyColours = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", applyColours);
applyColours();

const main = document.getElementById("swagger-ui");
nameControls(main);

const ui = SwaggerUIBundle({
  url: new URL("openapi.json", API_ROOT).href,
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  tryItOutEnabled: true,
  // session-store.js saves the login, including the refresh token.
  persistAuthorization: false,
  // The default is a server on the internet.
  validatorUrl: null,
  requestInterceptor: prepareRequest,
  plugins: [plugin],
  onComplete: () => connect(ui),
});

/** Opens an operation and moves the focus to it. */
function showOperation(wanted) {
  const operation = ui.specSelectors.operations().find((entry) => entry.getIn(["operation", "operationId"]) === wanted);
  const tag = operation?.getIn(["operation", "tags", 0]);
  if (!tag) return;
  ui.layoutActions.show(["operations-tag", tag], true);
  ui.layoutActions.show(["operations", tag, wanted], true);
  // React renders the operation asynchronously.
  requestAnimationFrame(() => {
    const block = document.querySelector(`.opblock[id$="-${wanted}"]`);
    block?.scrollIntoView();
    block?.querySelector(".opblock-summary-control")?.focus({ preventScroll: true });
  });
}

// Following the link would replace the URL's fragment, which identifies the open operation.
document.querySelector(".skip-link").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});

bar.start(() => showOperation("replaceOwnPassword"));
session.start();
