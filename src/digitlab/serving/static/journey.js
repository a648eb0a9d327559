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
    this.list.replaceChildren(station("The digit", null, words, ""), station("The answer", null, "", ""));
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
      "aria-label": "what the answer leans on",
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
      make("figure", {}, this.seen, make("figcaption", {}, "What it saw")),
      make("figure", {}, this.leaning, make("figcaption", {}, "What the answer leans on", this.leaningWords)),
    );
    this.list.replaceChildren(
      station(
        "The digit",
        "28 × 28 pixels",
        "Centred, like the digits that the network learned from. Beside it, every patch of 4 × 4 pixels was hidden in turn: where the answer suffers, it leans on what is there.",
        pictures,
      ),
      ...stations,
      station("The answer", "ten probabilities", "", this.bars),
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
  if (most < 0.005) return `Whichever patch is hidden, it still reads a ${digit}.`;
  return `Green ink speaks for a ${digit}, red against it. The patch that matters most costs ${percent(Math.max(loss, 0))} of its probability.`;
}

function station(title, size, explanation, content) {
  const heading = make("h2", {}, title, size ? make("small", {}, size) : null);
  return make("li", {}, heading, explanation ? make("p.small.quiet", {}, explanation) : null, content);
}
