/** Ten probabilities as ten bars. */

import { make } from "./page.js";

/**
 * Show probabilities; bars that are there already move.
 * @param {HTMLOListElement} list - the bars' place.
 * @param {number[]|null} probabilities - of the digits 0..9; none empties the bars.
 */
export function showBars(list, probabilities) {
  if (list.children.length === 0) list.append(...Array.from({ length: 10 }, (_, digit) => bar(digit)));
  const highest = probabilities ? Math.max(...probabilities) : null;
  const items = /** @type {HTMLElement[]} */ ([...list.children]);
  for (const [digit, item] of items.entries()) {
    const share = probabilities?.[digit] ?? 0;
    item.style.setProperty("--share", String(share));
    item.classList.toggle("best", share === highest);
    item.querySelector(".share").firstChild.nodeValue = probabilities ? rounded(100 * share) : "";
    item.classList.toggle("slight", share < 0.005);
  }
}

function bar(digit) {
  const share = make("span.share", {}, "", make("span.unseen", {}, " percent"));
  return make("li", {}, make("b", {}, digit), share, make("span.column", { "aria-hidden": "true" }));
}

const rounded = (percent) => (percent > 99.5 && percent < 100 ? "> 99" : String(Math.round(percent)));
