/** One layer of a network, drawn: its feature maps, its neurons or its ten scores. */

import { make, whole } from "./page.js";
import { bytesOf, paintValues } from "./pixels.js";

const MAPS_AT_FIRST = 16;

const KINDS = {
  convolution: [
    "Convolution",
    "Each map is the output of one small filter, slid over the layer before: large where the filter finds its pattern.",
  ],
  pool: [
    "Pooling",
    "The maximum of each small window is kept: smaller maps, with coarser positions.",
  ],
  normalization: [
    "Normalization",
    "Each map is shifted and scaled to the range that the next layer was trained on.",
  ],
  activation: [
    "Block",
    "Small filters, slid over the layer before, each large where it finds its pattern. The activation changes values below zero: without it, all layers together would be one linear function.",
  ],
  dense: [
    "Dense layer",
    "Each neuron computes a weighted sum of the layer before; the deeper its colour, the larger its activation.",
  ],
  logits: [
    "Logits",
    "One score per digit. The largest is the prediction; softmax turns them into probabilities.",
  ],
};

/** Give each layer's title, its shape in words and what such a layer does, said where it comes first. */
export function describe(layers) {
  return layers.map(({ name, kind, shape }, index) => {
    const before = layers.slice(0, index).filter((layer) => layer.kind === kind).length;
    const several = before > 0 || layers.slice(index + 1).some((layer) => layer.kind === kind);
    const [words, explanation] = KINDS[kind] ?? [name.replaceAll("_", " "), ""];
    const title = several && KINDS[kind] ? `${words} ${before + 1}` : words;
    return { title, explanation: before ? "" : explanation, size: sizeOf(shape, kind) };
  });
}

function sizeOf(shape, kind) {
  if (shape.length === 3) return `${whole(shape[2])} maps of ${shape[0]} × ${shape[1]}`;
  return kind === "logits" ? "" : `${whole(shape[0])} neurons`;
}

/** Draw a layer: an element, and a function that paints new values of a layer of the same shape into it. */
export function layerView(layer) {
  if (layer.shape.length === 3) return mapsView(layer);
  return layer.kind === "logits" ? scoresView(layer) : neuronsView(layer);
}

/* From -1 to 1; a layer that never goes below zero uses the half that the accent has. */
function valuesOf({ maps, low, high }) {
  const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
  return Float32Array.from(bytesOf(maps), (byte) => (low + ((high - low) * byte) / 255) / most);
}

function mapsView({ shape: [height, width, count] }) {
  const maps = Array.from({ length: count }, (_, index) =>
    make("canvas.map", {
      width,
      height,
      hidden: index >= MAPS_AT_FIRST,
      role: "img",
      "aria-label": `map ${index + 1}`,
    }),
  );
  const element = make("div.maps", {}, ...maps);
  if (count > MAPS_AT_FIRST) element.append(moreButton(maps));
  const update = (layer) => {
    const values = valuesOf(layer);
    maps.forEach((map, index) =>
      paintValues(map, values.subarray(index * height * width, (index + 1) * height * width)),
    );
  };
  return { element, update };
}

function moreButton(maps) {
  const button = make("button", { type: "button" }, `All ${maps.length} maps`);
  button.addEventListener("click", () => {
    for (const map of maps) map.hidden = false;
    button.remove();
  });
  return button;
}

function neuronsView({ shape: [count] }) {
  const columns = Math.min(count, 32);
  const rows = Math.ceil(count / columns);
  const canvas = make("canvas.neurons", {
    width: columns,
    height: rows,
    "--columns": columns,
    role: "img",
    "aria-label": `${count} neurons`,
  });
  const update = (layer) => {
    const values = new Float32Array(columns * rows);
    values.set(valuesOf(layer));
    paintValues(canvas, values);
  };
  return { element: canvas, update };
}

function scoresView({ shape: [count] }) {
  const items = Array.from({ length: count }, (_, digit) =>
    make("li", {}, make("b", {}, digit), make("span.score", { "aria-hidden": "true" }), make("span.value")),
  );
  const element = make("ol.scores", {}, ...items);
  const update = (layer) => {
    const most = Math.max(Math.abs(layer.low), Math.abs(layer.high)) || 1;
    const values = valuesOf(layer);
    const winner = values.indexOf(Math.max(...values));
    items.forEach((item, digit) => {
      item.style.setProperty("--score", values[digit]);
      item.classList.toggle("below", values[digit] < 0);
      item.classList.toggle("best", digit === winner);
      item.querySelector(".value").textContent = (values[digit] * most).toFixed(1).replace("-", "\u2212");
    });
  };
  return { element, update };
}
