/** The squared paper: finger, pen, mouse and keyboard draw on it; what was read is written beside the ink. */

import { Drawing } from "./drawing.js";
import { make, percent, recall, remember } from "./page.js";
import { KeyboardPen } from "./keyboard-pen.js";

const KEPT = "digitlab-drawing"; // so that the drawing is still there on the next page

/**
 * Tells the page with events on its element: "drawing" while the pen moves, "lifted" when it has been lifted or
 * something else has changed what is to be read, "emptied" when nothing is left.
 */
export class Pad {
  /** @param {HTMLElement} element - of pad.html. */
  constructor(element) {
    this.element = element;
    this.canvas = element.querySelector("canvas");
    this.context = this.canvas.getContext("2d");
    /** @type {HTMLImageElement} */
    this.shown = element.querySelector(".picture");
    this.marks = element.querySelector(".marks");
    this.width = 10;
    this.picture = null;
    /** @type {Parameters<Pad["annotate"]>|null} */
    this.annotated = null;
    this.unseen = false; // whether the browser cannot show it
    this.pointer = null;
    this.drawing = Drawing.fromText(recall(KEPT)) ?? new Drawing(this.#room());
    this.keyboard = new KeyboardPen(this);
    this.#listen();
    new ResizeObserver(() => this.#fit()).observe(element);
  }

  get empty() {
    return this.drawing.empty && this.picture === null;
  }

  /**
   * Width and height of what is read, in its own pixels.
   * @returns {[number, number]}
   */
  get size() {
    if (this.picture) return [this.shown.naturalWidth, this.shown.naturalHeight];
    return [this.drawing.sheet.width, this.drawing.sheet.height];
  }

  /** What is to be read: the picture that was given, or the drawing's. */
  async toPicture() {
    return this.picture ?? this.drawing.toPicture();
  }

  /** Show a picture file in place of the drawing. */
  showPicture(file) {
    this.drawing = new Drawing(this.#room());
    this.#forgetPicture();
    this.picture = file;
    this.shown.src = URL.createObjectURL(file);
    this.shown.hidden = false;
    this.#changed("lifted");
  }

  /** Show a picture that the service made of the file, if the browser cannot show the file itself. */
  showInstead(url) {
    if (this.picture && this.unseen) this.shown.src = url;
    this.unseen = false;
  }

  undo() {
    if (this.picture) return this.clear();
    this.drawing.undo();
    this.#changed("lifted");
  }

  clear() {
    this.#forgetPicture();
    this.drawing = new Drawing(this.#room());
    this.#changed("lifted");
  }

  /** Begin a stroke at a point of the page's pixels within the pad. */
  penDown(point) {
    if (this.picture) this.clear();
    if (this.drawing.empty) this.drawing.sheet = this.#room();
    this.element.classList.add("writing");
    this.drawing.begin(this.width, this.#onSheet(point));
    this.#changed("drawing");
  }

  /** Go on with the stroke through points. */
  penMove(points) {
    for (const point of points) this.drawing.extend(this.#onSheet(point));
    this.#changed("drawing");
  }

  /** End the stroke. */
  penUp() {
    this.element.classList.remove("writing");
    this.#changed("lifted");
  }

  /**
   * Write beside each piece of ink what was read there.
   * @param {[number, number]} size - of the picture that was read.
   * @param {Array<object>} digits - with box, digit and reason.
   * @param {Array<object>} lines - the rows with box, page and confidence.
   */
  annotate(size, digits, lines = []) {
    this.annotated = [size, digits, lines];
    const place = this.#placed(size);
    const onFirstPage = ({ line }) => !lines[line]?.page; // the others are not shown
    this.marks.replaceChildren(
      ...lines
        .filter(({ page }) => page === 0)
        .map(({ box, confidence }) => mark("row-mark", box, place, percent(confidence))),
      ...digits
        .filter(onFirstPage)
        .map(({ box, digit, reason }) => mark(reason ? "mark.refused" : "mark", box, place, reason ? "?" : digit)),
    );
  }

  #listen() {
    this.canvas.addEventListener("pointerdown", (event) => this.#down(event));
    this.canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      this.canvas.addEventListener(end, (event) => this.#up(event));
    }
    // Without this a long press opens a menu, and a pen's side button ends the stroke.
    this.canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    this.canvas.addEventListener("keydown", (event) => this.keyboard.press(event));
    this.canvas.addEventListener("blur", () => this.keyboard.leave());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
    this.shown.addEventListener("error", () => (this.unseen = true)); // a TIFF
    this.shown.addEventListener("load", () => this.annotated && this.annotate(...this.annotated));
  }

  #down(event) {
    if (this.pointer !== null || event.button !== 0) return; // one pen at a time: a resting palm draws nothing
    this.keyboard.leave();
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.penDown(this.#pointOf(event));
  }

  #move(event) {
    if (event.pointerId !== this.pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    this.penMove((events.length ? events : [event]).map((each) => this.#pointOf(each)));
  }

  #up(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    this.penUp();
  }

  /* A mouse and most fingers report no pressure of their own: theirs is null and the line even. */
  #pointOf(event) {
    const edge = this.canvas.getBoundingClientRect();
    const pressure = event.pointerType === "pen" && event.pressure > 0 ? event.pressure : null;
    return [event.clientX - edge.left, event.clientY - edge.top, pressure];
  }

  #onSheet([x, y, pressure]) {
    const scale = this.#scale();
    return [round(x / scale), round(y / scale), pressure === null ? null : round(pressure)];
  }

  #room() {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  /* A drawing that was made on a larger sheet is shown smaller, whole. */
  #scale() {
    const room = this.#room();
    return Math.min(room.width / this.drawing.sheet.width, room.height / this.drawing.sheet.height) || 1;
  }

  #placed([width, height]) {
    const room = this.#room();
    const scale = Math.min(room.width / width, room.height / height);
    if (!this.picture) return { scale, left: 0, top: 0 };
    return { scale, left: (room.width - width * scale) / 2, top: (room.height - height * scale) / 2 };
  }

  #changed(what) {
    if (what === "lifted") {
      remember(KEPT, this.drawing.toText());
      if (this.empty) what = "emptied";
    }
    if (this.empty) this.marks.replaceChildren();
    this.repaint();
    this.element.dispatchEvent(new Event(what));
  }

  #forgetPicture() {
    if (this.picture) URL.revokeObjectURL(this.shown.src);
    this.picture = null;
    this.unseen = false;
    this.shown.hidden = true;
    this.annotated = null;
    this.marks.replaceChildren();
  }

  #fit() {
    const { width, height } = this.#room();
    const density = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * density);
    this.canvas.height = Math.round(height * density);
    this.repaint();
    if (this.annotated) this.annotate(...this.annotated);
  }

  /** Paint the drawing anew. */
  repaint() {
    const { context, canvas } = this;
    const density = (window.devicePixelRatio || 1) * this.#scale();
    this.element.classList.toggle("blank", this.empty);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(density, 0, 0, density, 0, 0);
    context.strokeStyle = context.fillStyle = getComputedStyle(canvas).color;
    this.drawing.paint(context);
    this.keyboard.paint(context);
  }
}

function mark(name, box, { scale, left, top }, words) {
  const place = {
    "--left": `${left + box[0] * scale}px`,
    "--top": `${top + box[1] * scale}px`,
    "--width": `${box[2] * scale}px`,
    "--height": `${box[3] * scale}px`,
  };
  return make(`span.${name}`, place, make("b", {}, words));
}

const round = (number) => Math.round(number * 100) / 100;
