// Accessible names for Swagger UI's unnamed controls (WCAG 2.2, 4.1.2), and keyboard focus for its scrollable boxes (2.1.1).

const ATTRIBUTES = [
  [".copy-to-clipboard button", "aria-label", "Copy to the clipboard"],
  [".body-param textarea", "aria-label", "Request body"],
  ["#servers", "aria-label", "Server"],
  [".operation-filter-input", "aria-label", "Filter by tag"],
  ["pre.microlight", "tabindex", "0"],
];

/** Sets the attributes of current and future elements in `root`. */
export function nameControls(root) {
  const setAttributes = () => {
    for (const [selector, attribute, value] of ATTRIBUTES) {
      for (const element of root.querySelectorAll(`${selector}:not([${attribute}])`)) {
        element.setAttribute(attribute, value);
      }
    }
  };
  // Attributes are not observed: the callback changes them, and would run again.
  new MutationObserver(setAttributes).observe(root, { childList: true, subtree: true });
  setAttributes();
}
