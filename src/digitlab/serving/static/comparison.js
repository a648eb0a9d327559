/** Two networks on the same test digits. */

import { make, percent, whole } from "./page.js";
import { bytesOf, paintInk } from "./pixels.js";

const AT_FIRST = 40; // digits; the others on demand

const FILTERS = [
  ["all", "all", () => true],
  ["a", "only the first is correct", (each) => each.a.digit === each.label],
  ["b", "only the second is correct", (each) => each.b.digit === each.label],
  ["neither", "neither is correct", (each) => each.a.digit !== each.label && each.b.digit !== each.label],
];

/**
 * Show a comparison.
 * @param {HTMLElement} place - is emptied first.
 * @param {object} found - what the service found.
 * @param {string} a - title of the one.
 * @param {string} b - title of the other.
 */
export function showComparison(place, found, a, b) {
  const right = found.images - found.both_wrong - found.only_a_wrong - found.only_b_wrong;
  const grid = make("div.digits");
  const show = (keep) => {
    const tiles = found.differences.filter(keep).map((each) => tile(each, a, b));
    grid.replaceChildren(...tiles.slice(0, AT_FIRST), ...more(tiles.slice(AT_FIRST)));
  };
  show(FILTERS[0][2]);
  place.replaceChildren(
    make("p.lead", {}, found.sentence),
    square(found, right, a, b),
    make("h3", {}, "Where they differ ", make("small", {}, different(found))),
    ...(found.differences.length ? [filters(found.differences, show), grid] : []),
  );
}

function different({ different: number, differences }) {
  if (number === 0) return "nowhere: all predictions are equal";
  const shown = differences.length < number ? `; the ${differences.length} with the highest confidence are shown` : "";
  return `${whole(number)} of the test digits${shown}`;
}

function more(tiles) {
  if (tiles.length === 0) return [];
  const button = make("button", { type: "button" }, `${tiles.length} more`);
  button.addEventListener("click", () => button.replaceWith(...tiles));
  return [button];
}

/* Four fields, as in a table of McNemar's: the two in the corners decide. */
function square(found, right, a, b) {
  const field = (kind, images, words) =>
    make(`div.${kind}`, {}, make("b", {}, whole(images)), make("span", {}, words));
  return make(
    "div.square",
    {},
    field("even", right, "both correct"),
    field("decides", found.only_b_wrong, `only ${a} correct`),
    field("decides", found.only_a_wrong, `only ${b} correct`),
    field("even", found.both_wrong, "both wrong"),
  );
}

function filters(differences, show) {
  const options = FILTERS.map(([value, words, keep]) => {
    const input = make("input", { type: "radio", name: "differences", value });
    input.checked = value === "all";
    input.addEventListener("change", () => show(keep));
    return make("label", {}, input, make("span", {}, `${words} (${differences.filter(keep).length})`));
  });
  return make("fieldset.choose", {}, make("legend.unseen", {}, "Which digits"), ...options);
}

function tile({ image, label, corrected, a, b, index }, titleA, titleB) {
  const canvas = make("canvas", { width: 28, height: 28, role: "img", "aria-label": `test digit ${index}` });
  const words = make(
    "figcaption",
    {},
    make("span", {}, corrected === null ? `label ${label}` : `label ${label}, corrected to ${corrected}`),
    verdict(titleA, a, label),
    verdict(titleB, b, label),
  );
  const figure = make("figure.digit", {}, canvas, words);
  paintInk(canvas, bytesOf(image));
  return figure;
}

function verdict(title, { digit, confidence }, label) {
  const wrong = digit !== label;
  return make(
    wrong ? "span.wrong" : "span",
    { title: `${percent(confidence)} confidence` },
    `${title} ${digit} ${wrong ? "✗" : "✓"}`,
  );
}
