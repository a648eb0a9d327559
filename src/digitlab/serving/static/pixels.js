/** Pictures from raw bytes, painted in the page's own colours, dark or light. */

/** Decode base64 into bytes. */
export const bytesOf = (base64) => Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));

/**
 * Paint values on a canvas of as many pixels: the page's ground is zero, the accent high, red below zero.
 * @param {HTMLCanvasElement} canvas - of width times height values.
 * @param {ArrayLike<number>} values - row by row, from -1 to 1.
 */
export function paintValues(canvas, values) {
  const colors = palette();
  paint(canvas, values.length, (index) => {
    const value = values[index];
    return mix(colors.paper, value < 0 ? colors.red : colors.accent, Math.min(1, Math.abs(value)));
  });
}

/**
 * Paint a digit in ink.
 * @param {HTMLCanvasElement} canvas - of as many pixels as there are values.
 * @param {Uint8Array} image - row by row, 255 is ink.
 */
export function paintInk(canvas, image) {
  const colors = palette();
  paint(canvas, image.length, (index) => mix(colors.paper, colors.ink, image[index] / 255));
}

/**
 * Paint a digit in faint ink, and over it what speaks for (accent) and against (red) its answer.
 * @param {HTMLCanvasElement} canvas - of as many pixels as there are values.
 * @param {Uint8Array} image - row by row, 255 is ink.
 * @param {number[]} weights - row by row, from -1 to 1.
 */
export function paintWeights(canvas, image, weights) {
  const colors = palette();
  paint(canvas, image.length, (index) => {
    const digit = mix(colors.paper, colors.ink, 0.45 * (image[index] / 255));
    const weight = weights[index];
    return mix(digit, weight < 0 ? colors.red : colors.accent, 0.9 * Math.min(1, Math.abs(weight)));
  });
}

function paint(canvas, count, colorAt) {
  const context = canvas.getContext("2d");
  const picture = context.createImageData(canvas.width, canvas.height);
  for (let index = 0; index < count; index++) picture.data.set([...colorAt(index), 255], 4 * index);
  context.putImageData(picture, 0, 0);
}

const mix = (from, to, share) => from.map((value, part) => Math.round(value + (to[part] - value) * share));

function palette() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(
    ["paper", "ink", "accent", "red"].map((name) => [name, rgb(style.getPropertyValue(`--${name}`).trim())]),
  );
}

function rgb(color) {
  const digits = color.slice(1);
  const parts = digits.length === 3 ? [...digits].map((digit) => digit + digit) : digits.match(/../g);
  return parts.slice(0, 3).map((part) => Number.parseInt(part, 16));
}
