/** What stands beside an answer: what the network saw, how sure it is, what others say, how it was prepared. */

import { showBars } from "./bars.js";
import { byId, make, percent, whole } from "./page.js";
import { because, named, opinionWords, stepWords } from "./words.js";

const OTHERS = 3; // other texts of a row that are shown
const SLIGHT = 0.001; // probability below which none is

/**
 * Show the digits as the network saw them, to choose one from.
 * @param {HTMLElement} place - a radiogroup.
 * @param {Array<object>} digits - with image, digit, confidence and reason.
 * @param {number} chosen - place of the one that is looked at.
 * @param {(index: number) => void} choose - is told which was chosen instead.
 */
export function showTiles(place, digits, chosen, choose) {
  const tiles = digits.map((digit, index) => {
    const input = make("input.unseen", { type: "radio", name: `${place.id}-digit`, value: index });
    input.checked = index === chosen;
    input.addEventListener("change", () => choose(index));
    const words = digit.reason ? "not read" : `${digit.digit}, ${percent(digit.confidence)} confidence`;
    const picture = make("img", {
      src: digit.image,
      width: 28,
      height: 28,
      alt: `Digit ${index + 1}: ${words}`,
    });
    return make(
      `label.tile${digit.reason ? ".refused" : ""}`,
      {},
      input,
      picture,
      make("b", { "aria-hidden": "true" }, digit.reason ? "?" : digit.digit),
    );
  });
  const focused = place.contains(document.activeElement);
  place.replaceChildren(...(tiles.length ? tiles : [make("span.tile.empty")]));
  /** @type {HTMLInputElement|null} */
  const checked = place.querySelector("input:checked");
  if (focused) checked?.focus();
}

/** Show the probabilities of one digit. */
export function showProbabilities(digit) {
  showBars(byId("bars"), digit?.probabilities ?? null);
}

/** Show what the two readers say of one digit, each for itself; none empties the place. */
export function showOpinions(digit) {
  const place = byId("opinions");
  place.replaceChildren(...(digit ? opinionWords(digit).map((words) => make("p", {}, words)) : []));
  place.classList.toggle("differ", Boolean(digit?.reason) || disagree(digit?.opinions));
}

const disagree = (opinions) => Boolean(opinions) && opinions.row.digit !== opinions.form.digit;

/** Show what was left out or guessed, in the service's sentences. */
export function showNotes(notes) {
  const place = byId("notes");
  place.replaceChildren(...notes.map((note) => make("li", {}, note)));
  place.hidden = notes.length === 0;
}

/** Show each row with its confidence, and what else it may say. */
export function showRows(lines) {
  const head = ["row", "confidence", "alternatives"];
  const rows = lines.map(({ text, confidence, alternatives }) => {
    const others = alternatives.filter((other) => other.text !== text && other.probability >= SLIGHT);
    return make(
      "tr",
      {},
      make("th.reads", { scope: "row" }, text || "–"),
      make(
        "td",
        {},
        make("span.meter", { "aria-hidden": "true", "--share": confidence }),
        percent(confidence),
      ),
      make("td", {}, others.slice(0, OTHERS).map(named).join(", ") || "–"),
    );
  });
  byId("rows").replaceChildren(
    make(
      "table",
      {},
      make("thead", {}, make("tr", {}, ...head.map((words) => make("th", { scope: "col" }, words)))),
      make("tbody", {}, ...rows),
    ),
  );
  document.querySelector(".rows").toggleAttribute("hidden", lines.length === 0);
}

/**
 * Show what each network makes of the digits, side by side.
 * @param {Array<object>} models - as the service lists them.
 * @param {Array<object>} digits - with the answers of these models; none yet is an empty list.
 * @param {number} chosen - the digit whose certainty is shown.
 */
export function showNetworks(models, digits, chosen) {
  const head = ["network", "prediction", "confidence", "test error"];
  const rows = models.map((model) => networkRow(model, digits, chosen));
  byId("networks").replaceChildren(
    make(
      "table",
      {},
      make("thead", {}, make("tr", {}, ...head.map((words) => make("th", { scope: "col" }, words)))),
      make("tbody", {}, ...rows),
    ),
  );
}

function networkRow(model, digits, chosen) {
  const answers = digits.map((digit) => digit.answers[model.id]);
  const reads = answers.map((answer, index) => {
    const differs = !digits[index].reason && answer.digit !== digits[index].digit;
    return make(differs ? "mark" : "span", {}, digits[index].reason ? "?" : answer.digit);
  });
  const sure = answers[chosen]?.confidence;
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, make("a", { href: `/models#${encodeURIComponent(model.id)}` }, model.title)),
    make("td.reads", {}, ...(reads.length ? reads : ["–"])),
    make(
      "td",
      {},
      make("span.meter", { "aria-hidden": "true", "--share": sure ?? 0 }),
      sure === undefined ? "" : percent(sure),
    ),
    make("td", { title: `${whole(model.parameters)} parameters` }, `${model.test_error.toFixed(2)} %`),
  );
}

/** Show the pictures of the preparation. */
export function showSteps(steps, digits) {
  const pictures = steps.map(({ name, image }) => step(name, make("img", { src: image, alt: "" })));
  const forms = digits.map((digit) => make("img", { src: digit.image, alt: "" }));
  if (forms.length) pictures.push(step("form", make("span.forms", { "--count": forms.length }, ...forms)));
  byId("steps").replaceChildren(...pictures);
  document.querySelector(".preparation").toggleAttribute("hidden", pictures.length === 0);
}

function step(name, picture) {
  return make(
    "li",
    {},
    make("figure", {}, make("span.frame", {}, picture), make("figcaption", {}, stepWords(name))),
  );
}

/** Show the answer itself. */
export function showRead(text, sure, refused) {
  const read = byId("read");
  const lines = text.split("\n");
  read.replaceChildren(...lines.flatMap((line, index) => [index ? make("br") : "", ...written(line)]));
  read.style.setProperty("--length", Math.max(3, ...lines.map((line) => line.length)));
  read.style.setProperty("--lines", lines.length);
  byId("sure").textContent = sure;
  byId("answer").classList.toggle("refused", refused);
}

const written = (line) =>
  [...line].map((sign) =>
    sign === "?" ? make("span.doubt", { title: because("not a digit") }, sign) : sign,
  );
