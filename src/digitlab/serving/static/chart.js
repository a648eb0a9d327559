/** Learning curves as they grow: lines over epochs, the error on a logarithmic scale. */

import { draw } from "./page.js";

const HEIGHT = 336;
const EDGE = { left: 52, right: 16, top: 14, bottom: 42 };
const NICE = [0.01, 0.1, 1, 10, 100].flatMap((decade) => [1, 1.5, 2, 3, 5, 7].map((step) => step * decade));

/**
 * Draw curves.
 * @param {SVGSVGElement} svg - emptied and drawn anew, as wide as it is.
 * @param {Array<{label: string, values: number[]}>} curves - values above 0 at 1, 2, 3, ...
 * @param {{x: string, y: string}} titles - of the axes.
 */
export function drawCurves(svg, curves, titles) {
  const width = svg.clientWidth || 720;
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  const scales = scalesFor(
    curves.filter(({ values }) => values.length > 0),
    width,
  );
  const lines = curves.map(({ label, values }, index) =>
    curve(label, values, share(index, curves.length), scales),
  );
  svg.replaceChildren(
    ...verticals(scales),
    ...horizontals(scales),
    titleBelow(titles.x, scales),
    titleBeside(titles.y),
    ...lines,
  );
}

/** Where a curve stands in the scale of colours: 0 to 1. */
export const share = (index, count) => (count > 1 ? index / (count - 1) : 0.45);

function scalesFor(curves, width) {
  const all = curves.flatMap(({ values }) => values).filter((value) => value > 0);
  const epochs = Math.max(2, ...curves.map(({ values }) => values.length));
  const low = Math.max(0.01, Math.min(...all, 5) * 0.85);
  const high = Math.max(...all, 2 * low) * 1.15;
  const room = { x: width - EDGE.left - EDGE.right, y: HEIGHT - EDGE.top - EDGE.bottom };
  return {
    epochs,
    low,
    high,
    width,
    x: (epoch) => EDGE.left + (room.x * (epoch - 1)) / (epochs - 1),
    y: (value) => EDGE.top + room.y * (1 - Math.log(Math.max(value, low) / low) / Math.log(high / low)),
  };
}

function curve(label, values, place, { x, y }) {
  const points = values.map((value, index) => `${x(index + 1).toFixed(1)},${y(value).toFixed(1)}`);
  const marks = values.length > 25 ? [] : points.map((point) => mark(...point.split(",")));
  const title = draw(
    "title",
    {},
    `${label}: ${values.length ? `${values.at(-1).toFixed(2)} % after ${values.length}` : "not yet"}`,
  );
  return draw(
    "g.curve",
    { "--place": place },
    title,
    draw("polyline", { points: points.join(" ") }),
    ...marks,
  );
}

const mark = (cx, cy) => draw("circle", { cx, cy, r: 2.5 });

function verticals({ epochs, x, width: room }) {
  const step =
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((wide) => (epochs / wide) * 45 <= room) ?? 1000;
  const ticks = Array.from({ length: epochs }, (_, index) => index + 1).filter(
    (epoch) => epoch === 1 || epoch % step === 0,
  );
  return ticks.flatMap((epoch) => [
    draw("line.grid", { x1: x(epoch), x2: x(epoch), y1: EDGE.top, y2: HEIGHT - EDGE.bottom }),
    draw("text", { x: x(epoch), y: HEIGHT - EDGE.bottom + 18, "text-anchor": "middle" }, epoch),
  ]);
}

function horizontals({ low, high, width, y }) {
  return NICE.filter((value) => value >= low && value <= high).flatMap((value) => [
    draw("line.grid", { x1: EDGE.left, x2: width - EDGE.right, y1: y(value), y2: y(value) }),
    draw("text", { x: EDGE.left - 8, y: y(value) + 4, "text-anchor": "end" }, Number(value.toPrecision(2))),
  ]);
}

function titleBelow(words, { width }) {
  return draw(
    "text",
    { x: (EDGE.left + width - EDGE.right) / 2, y: HEIGHT - 4, "text-anchor": "middle" },
    words,
  );
}

function titleBeside(words) {
  const middle = (EDGE.top + HEIGHT - EDGE.bottom) / 2;
  return draw("text", { transform: `translate(12 ${middle}) rotate(-90)`, "text-anchor": "middle" }, words);
}
