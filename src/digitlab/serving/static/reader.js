/** Asking while one draws: never two questions at once, and the last drawing always gets its answer. */

const WHILE_DRAWING = 180; // milliseconds between two questions while the pen is down

export class Reader {
  /**
   * @param {(picture: Blob, finished: boolean, signal: AbortSignal) => Promise<any>} ask - sends a picture.
   * @param {(answer: any) => void} show - shows what came back.
   * @param {(error: Error) => void} fail - says why nothing did.
   */
  constructor(ask, show, fail) {
    this.ask = ask;
    this.show = show;
    this.fail = fail;
    this.running = null;
    this.turn = 0;
    this.last = 0;
  }

  /** Read what is on a pad whenever it changes, and what is on it already. */
  follow(pad) {
    pad.element.addEventListener("drawing", () => this.#glance(pad));
    pad.element.addEventListener("lifted", () => this.read(pad));
    pad.element.addEventListener("emptied", () => this.stop());
    if (!pad.empty) this.read(pad);
  }

  /** Forget the question that is under way. */
  stop() {
    this.turn++;
    this.running?.abort();
    this.running = null;
  }

  /** Ask now, whatever is under way. */
  async read(pad, finished = true) {
    this.stop();
    const turn = this.turn;
    const control = (this.running = new AbortController());
    try {
      const answer = await this.ask(await pad.toPicture(), finished, control.signal);
      if (turn === this.turn) this.show(answer);
    } catch (error) {
      if (turn === this.turn) this.fail(error);
    } finally {
      if (turn === this.turn) this.running = null;
    }
  }

  #glance(pad) {
    const now = performance.now();
    if (this.running || now - this.last < WHILE_DRAWING) return;
    this.last = now;
    this.read(pad, false);
  }
}
