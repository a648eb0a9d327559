/** The page on which one draws. */

import { send, soundModels } from "./api.js";
import { offerCorrection } from "./correction.js";
import {
  showNetworks,
  showNotes,
  showOpinions,
  showProbabilities,
  showRead,
  showRows,
  showSteps,
  showTiles,
} from "./evidence.js";
import { Pad } from "./pad.js";
import { byId } from "./page.js";
import { Reader } from "./reader.js";
import { connectTools } from "./tools.js";
import { sureness } from "./words.js";

const SIDE_BY_SIDE = ["mlp", "cnn", "best"];
const AT_ONCE = 3;

const pad = new Pad(byId("pad"));
let models = [];
let reading = null;
let chosen = 0;

/* The three that are shipped, whichever of them there are, then what else there is. */
function sideBySide(all) {
  const shipped = SIDE_BY_SIDE.map((name) => all.find((model) => model.id === name)).filter(Boolean);
  return [...shipped, ...all.filter((model) => !shipped.includes(model))].slice(0, AT_ONCE);
}

function question(finished) {
  const asked = new URLSearchParams();
  const length = byId("length").value.trim();
  if (length) asked.set("length", length);
  if (finished) {
    asked.set("steps", "1");
    asked.set("models", models.map((model) => model.id).join(","));
  }
  return `/api/recognize?${asked}`;
}

function show(answer) {
  pad.annotate(answer.size, answer.digits, answer.lines);
  showRead(answer.text, sureness(answer), answer.status === "rejected");
  showNotes(answer.pages > 1 ? [...answer.notes, `Page 1 of ${answer.pages} is shown.`] : answer.notes);
  showRows(answer.lines);
  if (!answer.steps) return; // a glance while the pen is down
  reading = answer;
  if (answer.steps.length) pad.showInstead(answer.steps[0].image);
  choose(Math.min(chosen, Math.max(0, answer.digits.length - 1)));
  showSteps(answer.steps, answer.digits);
}

function choose(index) {
  chosen = index;
  const digits = reading?.digits ?? [];
  showTiles(byId("tiles"), digits, index, choose);
  showProbabilities(digits[index]);
  showOpinions(digits[index]);
  showNetworks(models, digits, index);
  offerCorrection(digits[index]);
}

function showNothing(words, refused) {
  reading = null;
  chosen = 0;
  showRead("", words, refused);
  showNotes([]);
  showRows([]);
  choose(0);
  showSteps([], []);
}

const EMPTY = "Write in the drawing area. The result is updated while you write.";

const reader = new Reader(
  (picture, finished, signal) => send(question(finished), picture, signal),
  show,
  (error) => error.name !== "AbortError" && showNothing(error.message, true),
);

connectTools(pad, "2026");
byId("length").addEventListener("change", () => pad.empty || reader.read(pad));
// A screen reader says the answer when the pen is lifted, not all that is guessed on the way.
pad.element.addEventListener("drawing", () => byId("answer").setAttribute("aria-busy", "true"));
pad.element.addEventListener("lifted", () => byId("answer").removeAttribute("aria-busy"));
pad.element.addEventListener("emptied", () => showNothing(EMPTY, false));
showNothing(EMPTY, false);
try {
  models = sideBySide(await soundModels());
  showNothing(EMPTY, false);
  reader.follow(pad);
} catch (error) {
  showNothing(error.message, true);
}
