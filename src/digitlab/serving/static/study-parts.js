/** The parts of a study's page, each made from the study's values; a part that has nothing to show is empty. */

import { drawCurves, share } from "./chart.js";
import { count, duration, make, percent } from "./page.js";
import { facts, fillTable, scrolling } from "./table.js";

const TRIAL_COLUMNS = [
  { title: "trial" },
  { title: "levels" },
  { title: "seed", right: true },
  { title: "state" },
  { title: "test accuracy", right: true },
  { title: "seconds", right: true },
];

/** Write levels by their axes' titles. */
export const written = (levels) =>
  Object.entries(levels)
    .map(([title, level]) => `${title} ${level}`)
    .join(", ");

/** How far it is; `latest` says what happened last. */
export function progress({ done, failed, total, best, seconds_left: left, state }, latest) {
  const there = `${done} of ${count(total, "result")}${failed ? `, ${failed} failed` : ""}`;
  const rest = state === "running" && left ? `, about ${duration(left)} left` : "";
  const parts = [make("p", {}, there + rest)];
  if (state !== "finished") {
    const value = total ? done + failed : false; // false is a bar that only says that something is going on
    parts.push(make("progress", { max: total || 1, value, "aria-label": "Results" }));
    if (best) {
      const found = `${written(best.levels)}, with ${percent(best.validation_accuracy)}`;
      parts.push(make("p.small.quiet", {}, `Best so far on the validation set: ${found}.`));
    }
  }
  if (state === "running" && latest) parts.push(make("p.small.quiet", {}, `Latest: ${latest}.`));
  return parts;
}

/** What was found, in sentences. */
export function answers({ verdicts = [] }) {
  if (!verdicts.length) return [];
  return [make("ul.verdicts", {}, ...verdicts.map((line) => make("li", {}, line)))];
}

/** The learning curves' frame, around a chart and its legend. */
export function curvesFrame({ curves, axes }, chart, legend) {
  if (!curves.length) return [];
  const axis = axes.map(({ title }) => title).join(" × ");
  const words = `mean over the finished seeds; a line per level of: ${axis}`;
  return [
    make("h2", {}, "Learning curves ", make("small", {}, words)),
    make("div.curves", {}, chart, legend),
  ];
}

/** Draw the learning curves as they are. */
export function showCurves({ curves }, chart, legend) {
  const lines = curves.map(({ label, validation_error_percent: values }) => ({ label, values }));
  drawCurves(chart, lines, { x: "epoch", y: "validation error %" });
  legend.replaceChildren(
    ...curves.map(({ label, seeds, validation_error_percent: values }, index) => {
      const words = values.length ? `${values.at(-1).toFixed(2)} %, ${count(seeds, "seed")}` : "waiting";
      const place = { "--place": share(index, curves.length) };
      return make("li", place, make("span", {}, label), make("small", {}, words));
    }),
  );
}

/** The table of the levels. */
export function results({ rows, axes }) {
  const known = rows.filter((row) => row.test_error_percent?.n); // of which a network is trained
  if (!known.length) return [];
  const columns = [
    { title: axes.map(({ title }) => title).join(" · ") },
    { title: "n", right: true },
    { title: "test error %", right: true },
    { title: "95 % interval", right: true },
    { title: "validation error %", right: true },
  ];
  const cells = known.map(({ label, test_error_percent: test, validation_error_percent: validation }) => [
    label,
    test.n,
    test.mean.toFixed(2),
    interval(test),
    validation?.mean.toFixed(2),
  ]);
  if (known.some(({ failed }) => failed.length)) {
    columns.push({ title: "note" });
    known.forEach(({ failed }, index) => cells[index].push(failed.length ? `${failed.length} failed` : ""));
  }
  return [make("h2", {}, "Results"), scrolling("Results", fillTable(make("table"), columns, cells))];
}

const interval = ({ low, high }) =>
  low !== null && high !== null ? `${low.toFixed(2)}\u00a0to\u00a0${high.toFixed(2)}` : "–";

/** The studies of a collection: pairs of name and question. */
export function members(questions) {
  if (!questions) return [];
  const items = questions.map(([name, question]) =>
    make("li", {}, make("a.question", { href: `#${encodeURIComponent(name)}` }, question)),
  );
  return [make("h2", {}, "Its studies"), make("ul.questions", {}, ...items)];
}

/** The report, which is a page of its own. */
export function reportFrame({ report, name, data }) {
  if (!report) return [];
  const frame = make("iframe.report", { title: `Report of ${name} on ${data}`, loading: "lazy", src: report });
  const link = make("a", { href: report }, "Open it in a page of its own");
  return [make("h2", {}, "Report"), make("p", {}, link, ": one file, to print or share."), frame];
}

/** Every trial, folded. */
export function trialTable({ trials = [] }) {
  if (!trials.length) return [];
  const rows = trials.map(({ id, levels, seed, state, accuracy, seconds, reason }) => [
    make("code", {}, id.slice(0, 8)),
    written(levels),
    seed,
    reason ? `${state}: ${reason}` : state,
    accuracy === null ? "" : percent(accuracy),
    seconds?.toFixed(1),
  ]);
  const summary = make("summary", {}, `All trials (${trials.length})`);
  return [make("details", {}, summary, scrolling("Trials", fillTable(make("table"), TRIAL_COLUMNS, rows)))];
}

/** What was asked. */
export function asked({ axes, data, recipe, seeds }) {
  return [
    make("h2", {}, "Design"),
    facts([
      ["Data", data],
      ["Recipe", recipe && String(recipe.name ?? recipe)],
      ...axes.map(({ title, values }) => [title, values.join(", ")]),
      ["Seeds", seeds],
    ]),
  ];
}
