/** The way of a digit through a network, from its pixels to ten probabilities. */

import { showBars } from "./bars.js";
import { describe, layerView } from "./layers.js";
import { make, percent } from "./page.js";
import { bytesOf, paintInk, paintWeights } from "./pixels.js";

const SIDE = 28;

export class Journey {
  /** @param {HTMLElement} list - whose items are the stations. */
  constructor(list) {
    this.list = list;
    this.shape = null;
    matchMedia("(prefers-color-scheme: dark)").addEventListener(
      "change",
      () => this.answer && this.show(this.answer),
    );
  }

  /** Show an answer of the service; the stations stay as long as the network does. */
  show(answer) {
    this.answer = answer;
    const shape = JSON.stringify([answer.model, answer.layers.map(({ name, shape: size }) => [name, size])]);
    if (shape !== this.shape) this.#build(answer);
    this.shape = shape;
    this.#update(answer);
  }

  /** Say what would be here. */
  invite(words) {
    this.answer = this.shape = null;
    this.list.replaceChildren(station("Input", null, words, ""), station("Output", null, "", ""));
  }

  #build({ layers }) {
    this.seen = make("canvas.big", {
      width: SIDE,
      height: SIDE,
      role: "img",
      "aria-label": "the digit, 28 by 28 pixels",
    });
    this.leaning = make("canvas.big", {
      width: SIDE,
      height: SIDE,
      role: "img",
      "aria-label": "occlusion map",
    });
    this.leaningWords = make("p.small.quiet");
    this.views = layers.map(layerView);
    this.bars = make("ol.bars");
    const stations = describe(layers).map(({ title, size, explanation }, index) =>
      station(title, size, explanation, this.views[index].element),
    );
    const pictures = make(
      "div.pair",
      {},
      make("figure", {}, this.seen, make("figcaption", {}, "Input")),
      make("figure", {}, this.leaning, make("figcaption", {}, "Occlusion map", this.leaningWords)),
    );
    this.list.replaceChildren(
      station(
        "Input",
        "28 × 28 pixels",
        "Centred, like the training digits. For the occlusion map, every patch of 4 × 4 pixels was hidden in turn: colour shows where the probability changed.",
        pictures,
      ),
      ...stations,
      station("Output", "ten probabilities", "", this.bars),
    );
  }

  #update({ image, occlusion, layers, probabilities, digit }) {
    const pixels = bytesOf(image);
    const drops = occlusion.drop.flat();
    const most = drops.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    paintInk(this.seen, pixels);
    paintWeights(
      this.leaning,
      pixels,
      drops.map((drop) => (most < 1e-4 ? 0 : drop / most)),
    );
    this.leaningWords.textContent = leaningWords(digit.digit, Math.max(...drops), most);
    layers.forEach((layer, index) => this.views[index].update(layer));
    showBars(this.bars, probabilities);
  }
}

function leaningWords(digit, loss, most) {
  if (most < 0.005) return `No hidden patch changes the probability of ${digit} by 0.005 or more.`;
  return `Green pixels are evidence for a ${digit}, red against it. Hiding the most important patch lowers its probability by ${percent(Math.max(loss, 0))}.`;
}

function station(title, size, explanation, content) {
  const heading = make("h2", {}, title, size ? make("small", {}, size) : null);
  return make("li", {}, heading, explanation ? make("p.small.quiet", {}, explanation) : null, content);
}
