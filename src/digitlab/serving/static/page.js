/** Elements and words, for every page. User text only ever becomes text nodes. */

/**
 * Find the element with an id; the page's template says of what kind it is.
 * @type {(id: string) => any}
 */
export const byId = (id) => document.getElementById(id);

/**
 * Make an element.
 * @param {string} tag - its name; may carry classes, as in "p.quiet.small".
 * @param {Object<string, any>} attributes - set as attributes; functions become listeners; false, null and
 *   undefined are left out, true stands alone.
 * @param {...(Node|string|number|null|undefined)} children - texts and nodes.
 */
export function make(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  return fill(document.createElement(name), classes, attributes, children);
}

/** Make an SVG element, as `make` does. */
export function draw(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), classes, attributes, children);
}

function fill(element, classes, attributes, children) {
  if (classes.length) element.setAttribute("class", classes.join(" "));
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") element.addEventListener(key, value);
    else if (key.startsWith("--")) element.style.setProperty(key, value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Write a share from 0 to 1 in percent, never rounding to a certainty that is none. */
export function percent(share) {
  if (share > 0.9995) return share === 1 ? "100 %" : "> 99.9 %";
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  const digits = share >= 0.995 || share < 0.0995 ? 1 : 0;
  return `${(100 * share).toFixed(digits)} %`;
}

/** Write a whole number with commas between thousands. */
export const whole = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");

/** Write how long something takes. */
export function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Say how many there are of something. */
export const count = (number, one, many = `${one}s`) => `${whole(number)} ${number === 1 ? one : many}`;

/** Keep a text for this visit, if the browser lets pages keep anything. */
export function remember(key, text) {
  try {
    sessionStorage.setItem(key, text);
  } catch {
    // A browser that keeps nothing has a page that remembers nothing.
  }
}

/** What was kept under a key; null where there is nothing. */
export function recall(key) {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Show a fault in words where the answer would stand. */
export const notice = (text) => make("p.notice", { role: "alert" }, text);
