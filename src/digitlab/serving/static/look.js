/** The page that shows what goes on inside a network. */

import { send, soundModels } from "./api.js";
import { showRead } from "./evidence.js";
import { Journey } from "./journey.js";
import { Pad } from "./pad.js";
import { byId, make, percent, whole } from "./page.js";
import { Reader } from "./reader.js";
import { connectTools } from "./tools.js";
import { because } from "./words.js";

const EMPTY = "Write a digit to see the output of each layer.";

const pad = new Pad(byId("pad"));
const journey = new Journey(byId("journey"));
const select = byId("model");
let models = [];
let index = 0;
let strokes = 0;

async function ask(picture, finished, signal) {
  const path = (digit) => `/api/look?model=${encodeURIComponent(select.value)}&digit=${digit}`;
  try {
    return await send(path(index), picture, signal);
  } catch (error) {
    if (error.status !== 404 || index === 0) throw error; // fewer digits than a moment ago
    index = 0;
    return send(path(0), picture, signal);
  }
}

function show(answer) {
  const { digit } = answer;
  pad.annotate(pad.size, [digit]);
  const sure = `${percent(digit.confidence)} confidence. Second: ${digit.runner_up} with ${percent(digit.runner_up_confidence)}.`;
  showRead(
    String(digit.digit),
    digit.reason ? `${because(digit.reason)} Most probable digit: ${sure}` : sure,
    Boolean(digit.reason),
  );
  offerDigits(answer.digits);
  journey.show(answer);
}

function offerDigits(count) {
  const place = byId("choose");
  place.hidden = count < 2;
  if (place.childElementCount === count + 1) return check(place);
  const options = Array.from({ length: count }, (_, each) => {
    const input = make("input", { type: "radio", name: "digit", value: each });
    input.addEventListener("change", () => {
      index = each;
      reader.read(pad);
    });
    return make("label", {}, input, make("span", {}, each + 1));
  });
  place.replaceChildren(make("span.quiet.small", {}, "Digit"), ...options);
  check(place);
}

const check = (place) => (place.querySelectorAll("input")[index].checked = true);

function showNothing(words, refused) {
  index = 0;
  showRead("", words, refused);
  byId("choose").hidden = true;
  journey.invite(
    "The output of each layer appears here, with the pixels that the prediction depends on.",
  );
}

function chooseModel() {
  const model = models.find(({ id }) => id === select.value);
  byId("model-words").textContent =
    `Recipe ${model.recipe}: ${whole(model.parameters)} parameters, ${model.test_error.toFixed(2)} % errors on the test set.`;
  history.replaceState(null, "", `#${encodeURIComponent(model.id)}`);
  if (!pad.empty) reader.read(pad);
}

const reader = new Reader(
  ask,
  show,
  (error) => error.name !== "AbortError" && showNothing(because(error.message), true),
);

connectTools(pad, "2");
pad.element.addEventListener("lifted", () => {
  if (pad.drawing.strokes.length < strokes) index = 0; // the digit may be gone
  strokes = pad.drawing.strokes.length;
});
pad.element.addEventListener("emptied", () => showNothing(EMPTY, false));
showNothing(EMPTY, false);
try {
  models = await soundModels();
  select.append(...models.map(({ id, title }) => make("option", { value: id }, title)));
  const asked = decodeURIComponent(location.hash.slice(1));
  if (models.some(({ id }) => id === asked)) select.value = asked;
  select.addEventListener("change", chooseModel);
  reader.follow(pad);
  chooseModel();
} catch (error) {
  showNothing(error.message, true);
}
