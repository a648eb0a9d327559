/** The card of a network: what it is, where it comes from, how well it does. */

import { byId, count, duration, make, percent, whole } from "./page.js";
import { facts, fillTable, scrolling } from "./table.js";

/** Show the card of a network, as the service gives it. */
export function showCard(place, { title, path, card }) {
  const { model, training, data, seed } = card.trial;
  const digits = !card.classes || card.classes.every((name, number) => name === String(number));
  const entries = [
    ["Recipe", `${card.recipe}: ${settings(model)}`],
    ["Training", settings(training)],
    [
      "Data",
      `${data.dataset}, ${whole(data.validation)} training images set aside for validation; seed ${seed}`,
    ],
    ["Size", `${count(card.parameters, "parameter")}, ${count(card.multiply_adds, "multiply-add")} per image`],
    ["Test set", scores(card.test)],
    ["Validation", scores(card.validation)],
    ["Calibration", calibration(card.calibration)],
    ["Created", card.made],
    ["Trained in", duration(card.train_seconds)],
    ["Code", code(card)],
    [
      "Environment",
      Object.entries(card.environment)
        .map((entry) => entry.join(" "))
        .join(" · "),
    ],
    ["Folder", path],
  ];
  place.replaceChildren(
    make("h2", { id: "card-title" }, `Card of ${title}`),
    facts(entries),
    make(
      "h3",
      {},
      "Confusion matrix ",
      make(
        "small",
        {},
        `the ${whole(card.test.images)} test ${digits ? "digits" : "images"}: a row for each true ${digits ? "digit" : "class"}, a column for each prediction`,
      ),
    ),
    scrolling("Confusion matrix", confusion(card.test.confusion, digits ? [] : card.classes)),
    make(
      "details",
      {},
      make("summary", {}, "Files and their SHA-256"),
      facts(Object.entries(card.files).map(([name, digest]) => [name, make("code", {}, digest)])),
    ),
  );
  byId("card-title").scrollIntoView({ block: "start" });
}

function settings(values) {
  const known = Object.entries(values).filter(([, value]) => value !== null);
  return known.map(([name, value]) => `${name.replaceAll("_", " ")} ${shown(value)}`).join(", ");
}

function shown(value) {
  if (Array.isArray(value)) return value.length ? value.map(shown).join(", then ") : "none";
  return typeof value === "object" ? `(${settings(value)})` : value;
}

/** Say which code trained the network, and which did what came after, where it was other code. */
function code(card) {
  const { engine_version: engine, synthesis_version: synthesis } = card.trial;
  const drawn = synthesis ? `, synthesis version ${synthesis}` : "";
  const trained = card.commit
    ? `commit ${card.commit}${changes(card.clean)}`
    : "the commit was not recorded";
  const written = card.written_by
    ? `; written by commit ${card.written_by}${changes(card.written_clean)}`
    : "";
  return `engine version ${engine}${drawn}; ${trained}${written}`;
}

function changes(clean) {
  if (clean === undefined || clean === null) return " (uncommitted changes were not recorded)";
  return clean ? "" : ", with uncommitted changes";
}

function scores(values) {
  if (!values) return null;
  const { images, correct, log_loss: loss, calibration_error: error } = values;
  return `${((100 * (images - correct)) / images).toFixed(2)} % errors (${images - correct} of ${whole(images)}), log loss ${loss.toFixed(4)}, calibration error ${percent(error)}`;
}

function calibration(values) {
  if (!values) return null;
  return `temperature ${values.temperature.toFixed(3)}, which changes the calibration error on ${whole(values.images)} images from ${percent(values.error_before)} to ${percent(values.error_after)}`;
}

function confusion(rows, names) {
  const columns = [{ title: "" }, ...rows.map((_, digit) => ({ title: digit, right: true }))];
  const most = Math.max(1, ...rows.flatMap((row, label) => row.filter((_, digit) => digit !== label)));
  const cells = rows.map((row, label) => [
    names[label] ? `${label} ${names[label]}` : label,
    ...row.map((images, digit) => cell(images, digit === label ? 0 : images / most, digit === label)),
  ]);
  const table = fillTable(make("table.shaded"), columns, cells);
  return table;
}

const cell = (images, shade, right) =>
  make(right ? "span.agreed" : "span", { "--shade": shade }, images || "·");
