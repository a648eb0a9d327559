/** A number written for those who only want to look. */

const SIDE = 100; // of the box in which each digit is given
const SIGNS = {
  2: [
    [14, 24],
    [22, 9],
    [38, 2],
    [58, 4],
    [70, 18],
    [68, 36],
    [54, 54],
    [34, 74],
    [14, 96],
    [30, 93],
    [52, 95],
    [76, 94],
  ],
  0: [
    [46, 2],
    [28, 12],
    [16, 36],
    [16, 64],
    [28, 88],
    [46, 98],
    [64, 90],
    [76, 66],
    [76, 36],
    [64, 12],
    [46, 2],
  ],
  6: [
    [62, 3],
    [42, 18],
    [26, 40],
    [18, 64],
    [22, 86],
    [40, 97],
    [60, 93],
    [70, 78],
    [64, 62],
    [46, 56],
    [28, 64],
    [20, 78],
  ],
};

/**
 * Write a number on a pad.
 * @param pad - the Pad.
 * @param {string} text - of digits that there are strokes for: 0, 2 and 6.
 */
export function writeExample(pad, text) {
  pad.clear();
  const { width, height } = pad.drawing.sheet;
  const side = Math.min(width / (text.length + 0.5), 0.5 * height);
  const left = (width - text.length * side) / 2;
  const top = 0.45 * (height - side);
  [...text].forEach((sign, place) => {
    const points = SIGNS[sign].map(([x, y]) => [
      left + side * (place + x / SIDE),
      top + (side * y) / SIDE,
      null,
    ]);
    pad.penDown(points[0]);
    pad.penMove(points.slice(1));
  });
  pad.penUp();
}
