/** The form for a new study, made from the schema of a study. */

import { ask, change } from "./api.js";
import { make, notice } from "./page.js";
import { objectFields, settingPaths } from "./schema-form.js";

const HINTS = {
  question: { wide: true },
  description: { wide: true },
  recipe: { suggestions: "recipes" },
  overrides: { words: "Settings that differ from the recipe's" },
  axes: { words: "Axes: the settings that are varied", one: "axis", article: "an" },
  "axes.path": { words: "Setting", suggestions: "settings" },
  "axes.values": {
    words: "Levels",
    help: "Its values, separated by commas, in the order of the report.",
  },
  "axes.label": { words: "Label in the report", help: "Include the unit." },
  data: { words: "Data" },
  "data.fingerprint": { hidden: true },
};

/** Make the form. */
export async function studyForm() {
  const { schema, examples, recipes } = await ask("/api/studies/schema");
  const parts = objectFields(schema, schema, HINTS);
  const start = make(
    "select",
    { id: "start-from" },
    make("option", { value: "" }, "nothing"),
    ...Object.keys(examples).map((name) => make("option", {}, name)),
  );
  const faults = make("div", { "aria-live": "assertive" });
  const form = make(
    "form.study-form",
    {},
    make("p", {}, make("a", { href: "#" }, "All studies")),
    make("h1", { tabindex: -1 }, "New study"),
    make(
      "p",
      {},
      "Set the axes and the number of seeds. All networks are trained on this computer, and their results are stored.",
    ),
    make("div.field", {}, make("label", { for: "start-from" }, "Start from a copy of"), start),
    parts.element,
    datalist("recipes", recipes),
    datalist("settings", [
      "recipe",
      ...settingPaths(schema.$defs.Recipe.properties.model, schema, "model"),
      ...settingPaths(schema.$defs.Recipe.properties.training, schema, "training"),
    ]),
    faults,
    make("p", {}, make("button.main", {}, "Start the study")),
  );
  parts.write({});
  start.addEventListener("change", () => parts.write(copyOf(start.value, examples[start.value])));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(form, parts, faults);
  });
  return form;
}

/* A copy needs a name of its own: the library's are taken. */
const copyOf = (name, values) => (values ? { ...values, name: `my-${name}` } : {});

async function submit(form, parts, faults) {
  const button = form.querySelector("button.main");
  button.disabled = true;
  faults.replaceChildren();
  try {
    const { name } = await change("/api/studies", { study: parts.read() });
    location.hash = encodeURIComponent(name);
  } catch (error) {
    faults.replaceChildren(notice(error.message));
    button.disabled = false;
  }
}

const datalist = (id, values) =>
  make("datalist", { id }, ...values.map((value) => make("option", { value })));
