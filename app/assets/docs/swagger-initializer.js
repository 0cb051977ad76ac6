// Starts the page: Swagger UI on the API document beside it, with the bar and the login that they share.

import * as bar from "./session-bar.js";
import { API_ROOT } from "./session-api.js";
import { follow, mend, plugin } from "./session-plugin.js";
import * as session from "./session.js";
import { nameControls } from "./swagger-ui-names.js";

// Swagger UI's dark colours are a class of the root element.
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
  // The page keeps the login itself, which can be renewed: see session-store.js.
  persistAuthorization: false,
  // The default asks a server on the internet.
  validatorUrl: null,
  requestInterceptor: mend,
  plugins: [plugin],
  onComplete: () => follow(ui),
});

/** Opens an operation and takes the keyboard there. */
function showOperation(wanted) {
  const operation = ui.specSelectors.operations().find((entry) => entry.getIn(["operation", "operationId"]) === wanted);
  const tag = operation?.getIn(["operation", "tags", 0]);
  if (!tag) return;
  ui.layoutActions.show(["operations-tag", tag], true);
  ui.layoutActions.show(["operations", tag, wanted], true);
  // React draws it in its own time.
  requestAnimationFrame(() => {
    const block = document.querySelector(`.opblock[id$="-${wanted}"]`);
    block?.scrollIntoView();
    block?.querySelector(".opblock-summary-control")?.focus({ preventScroll: true });
  });
}

// A link to a place on the page would take the address's fragment, which names the open operation.
document.querySelector(".skip-link").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});

bar.start(() => showOperation("replaceOwnPassword"));
session.start();
