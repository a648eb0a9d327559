/** A pen for those who draw without a pointer: the arrow keys move it, the space bar puts it down. */

const STEP = 8; // pixels
const LONG_STEP = 32;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class KeyboardPen {
  /** @param pad - the Pad that it draws on. */
  constructor(pad) {
    this.pad = pad;
    this.place = null;
    this.down = false;
  }

  /** Answer a key. */
  press(event) {
    const command = event.ctrlKey || event.metaKey;
    if (MOVES[event.key] && !command) this.#move(MOVES[event.key], event.shiftKey ? LONG_STEP : STEP);
    else if (event.key === " ") this.#toggle();
    else if (event.key === "Escape" && this.down) this.#toggle();
    else if (event.key === "Delete" || event.key === "Backspace") this.#end(() => this.pad.clear());
    else if (command && event.key.toLowerCase() === "z") this.#end(() => this.pad.undo());
    else return;
    event.preventDefault();
  }

  /** Lift the pen and put it away. */
  leave() {
    if (this.down) this.#toggle();
    this.place = null;
    this.pad.repaint();
  }

  /** Show where the pen is. */
  paint(context) {
    if (!this.place) return;
    const [x, y] = this.place;
    context.save();
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x, y, this.down ? 5 : 10, 0, 2 * Math.PI);
    for (const [across, along] of Object.values(MOVES)) {
      context.moveTo(x + across * 14, y + along * 14);
      context.lineTo(x + across * 20, y + along * 20);
    }
    context.stroke();
    context.restore();
  }

  #move([across, along], step) {
    const { clientWidth: width, clientHeight: height } = this.pad.element;
    const [x, y] = this.place ?? [width / 3, height / 4];
    this.place = [within(x + across * step, width), within(y + along * step, height)];
    if (this.down) this.pad.penMove([[...this.place, null]]);
    else this.pad.repaint();
  }

  #toggle() {
    const { clientWidth: width, clientHeight: height } = this.pad.element;
    this.place ??= [width / 3, height / 4];
    this.down = !this.down;
    if (this.down) this.pad.penDown([...this.place, null]);
    else this.pad.penUp();
  }

  #end(act) {
    this.down = false;
    this.pad.element.classList.remove("writing");
    act();
  }
}

const within = (value, most) => Math.min(Math.max(value, 4), most - 4);
