// Names for what Swagger UI draws without one, which a screen reader would call "button" or "edit" alone, and the
// keyboard's way into what scrolls by itself (WCAG 2.2, 4.1.2 and 2.1.1).

const ATTRIBUTES = [
  [".copy-to-clipboard button", "aria-label", "Copy to the clipboard"],
  [".body-param textarea", "aria-label", "Request body"],
  ["#servers", "aria-label", "Server"],
  [".operation-filter-input", "aria-label", "Filter by tag"],
  ["pre.microlight", "tabindex", "0"],
];

/** Names what is there in `root`, and whatever Swagger UI draws there later. */
export function nameControls(root) {
  const name = () => {
    for (const [selector, attribute, value] of ATTRIBUTES) {
      for (const element of root.querySelectorAll(`${selector}:not([${attribute}])`)) {
        element.setAttribute(attribute, value);
      }
    }
  };
  // Attributes are not watched, or this would call itself.
  new MutationObserver(name).observe(root, { childList: true, subtree: true });
  name();
}
