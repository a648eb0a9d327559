/** What was drawn: strokes on a sheet, and the picture that they give. No element of the page is known here. */

const PEN_RANGE = [0.45, 1.1]; // share of the pen's width at no and at full pressure

export class Drawing {
  /** @param {{width: number, height: number}} sheet - in pixels of the page. */
  constructor(sheet) {
    this.sheet = sheet;
    this.strokes = [];
  }

  get empty() {
    return this.strokes.length === 0;
  }

  /** Begin a stroke. Its points are [x, y, pressure], pressure null for what has none. */
  begin(width, point) {
    this.strokes.push({ width, points: [point] });
  }

  /** Go on with the last stroke, unless the pen has not moved. */
  extend(point) {
    const points = this.strokes.at(-1).points;
    const [x, y] = points.at(-1);
    if (Math.hypot(point[0] - x, point[1] - y) >= 0.5) points.push(point);
  }

  undo() {
    this.strokes.pop();
  }

  clear() {
    this.strokes = [];
  }

  /** Paint all strokes in the context's colour. */
  paint(context) {
    context.lineCap = context.lineJoin = "round";
    for (const stroke of this.strokes) paintStroke(context, stroke);
  }

  /** Give the picture: a PNG of dark ink on white paper, whatever the page looks like. */
  toPicture() {
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(this.sheet.width);
    canvas.height = Math.round(this.sheet.height);
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.strokeStyle = context.fillStyle = "#111";
    this.paint(context);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  /** Write it as text that `fromText` reads. */
  toText() {
    return JSON.stringify({ sheet: this.sheet, strokes: this.strokes });
  }

  /** Read a drawing back; null where there is none. */
  static fromText(text) {
    try {
      const { sheet, strokes } = JSON.parse(text);
      return strokes.length ? Object.assign(new Drawing(sheet), { strokes }) : null;
    } catch {
      return null;
    }
  }
}

function paintStroke(context, { width, points }) {
  if (points.length === 1) return paintDot(context, width, points[0]);
  if (points[0][2] === null) return paintLine(context, width, points);
  for (let place = 1; place < points.length; place++) {
    paintLine(context, penWidth(width, points[place][2]), points.slice(place - 1, place + 1));
  }
}

function penWidth(width, pressure) {
  return width * (PEN_RANGE[0] + (PEN_RANGE[1] - PEN_RANGE[0]) * (pressure ?? 0.5));
}

function paintDot(context, width, [x, y]) {
  context.beginPath();
  context.arc(x, y, width / 2, 0, 2 * Math.PI);
  context.fill();
}

/* Through the points' midpoints, so that a fast hand draws a round curve and no polygon. */
function paintLine(context, width, points) {
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(points[0][0], points[0][1]);
  for (let place = 1; place < points.length - 1; place++) {
    const [x, y] = points[place];
    const [nextX, nextY] = points[place + 1];
    context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  const [x, y] = points.at(-1);
  context.lineTo(x, y);
  context.stroke();
}
