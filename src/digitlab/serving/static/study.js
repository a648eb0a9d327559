/** One study: how far it is, its curves as they grow, its table, its report; live while it runs. */

import { ask, change } from "./api.js";
import { draw, make, notice, percent } from "./page.js";
import * as parts from "./study-parts.js";

const AGAIN = 5000; // milliseconds until a study that could not be followed is looked at again
const STATES = { new: "not started", running: "running", paused: "paused", finished: "finished" };
const CHART_WORDS = "validation error by epoch, a line for each level";

export class StudyPage {
  /**
   * @param {string} key - under which the study is found.
   * @param {Node} back - leads to the list.
   */
  constructor(key, back) {
    this.address = `/api/studies/${encodeURIComponent(key)}`;
    this.back = back;
    this.element = make("article.study");
    this.progress = make("div.progress", { role: "status" });
    this.chart = draw("svg.chart", { role: "img", "aria-label": CHART_WORDS });
    this.legend = make("ul.legend");
    this.latest = "";
    this.events = null;
    this.resized = new ResizeObserver(() => parts.showCurves(this.study, this.chart, this.legend));
  }

  /** Read it, and follow it if it runs. */
  async load() {
    this.study = await ask(this.address);
    if (this.study.studies) this.questions = await questionsOf(this.study.studies);
    this.#show();
    this.resized.observe(this.chart);
    if (this.study.state === "running") this.#follow();
  }

  /** Follow it no longer. */
  close() {
    this.resized.disconnect();
    this.#leave();
  }

  #show() {
    const { study } = this;
    this.element.replaceChildren(
      this.back,
      make("p.eyebrow", {}, `${study.kind} ${study.name} on ${study.data} · ${STATES[study.state]}`),
      make("h1", { tabindex: -1 }, study.question),
      ...(study.description ? [make("p", {}, study.description)] : []),
      ...(study.message ? [notice(study.message)] : []),
      this.progress,
      this.#buttons(),
      ...parts.answers(study),
      ...parts.curvesFrame(study, this.chart, this.legend),
      ...parts.results(study),
      ...parts.members(this.questions),
      ...parts.reportFrame(study),
      ...parts.trialTable(study),
      ...parts.asked(study),
    );
    this.#showProgress();
  }

  #showProgress() {
    this.progress.replaceChildren(...parts.progress(this.study, this.latest));
    parts.showCurves(this.study, this.chart, this.legend);
  }

  #follow() {
    this.#leave();
    this.events = new EventSource(`${this.address}/events`);
    this.events.addEventListener("progress", (event) => {
      const first = this.study.curves.length === 0;
      Object.assign(this.study, JSON.parse(event.data));
      if (first && this.study.curves.length) this.#show();
      else this.#showProgress();
    });
    this.events.addEventListener("trial", (event) => this.#ended(JSON.parse(event.data)));
    this.events.addEventListener("end", () => this.#reload());
    this.events.addEventListener("error", () => {
      if (this.events?.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      this.again = setTimeout(() => this.#reload(), AGAIN);
    });
  }

  #ended({ levels, seed, state, history, reason }) {
    const right = state === "done" && percent(history.validation_accuracy.at(-1));
    const words = right ? `validation accuracy ${right}` : `failed: ${reason}`;
    this.latest = `${parts.written(levels)}, seed ${seed}: ${words}`;
    this.#showProgress();
  }

  #leave() {
    this.events?.close();
    this.events = null;
    clearTimeout(this.again);
  }

  #reload() {
    this.#leave();
    this.load().catch((error) => this.element.append(notice(error.message)));
  }

  /* Only for who started the service. */
  #buttons() {
    const { state, failed, done, total } = this.study;
    const row = make("div.row");
    if (!document.body.hasAttribute("data-owner")) return row;
    if (state === "running") this.#button(row, "Stop", "danger", "stop");
    else if (state === "new") this.#button(row, "Start", "main", "resume");
    else if (done + failed < total) this.#button(row, "Resume", "main", "resume");
    return row;
  }

  #button(row, words, kind, action) {
    const button = make(`button.${kind}`, { type: "button" }, words);
    button.addEventListener("click", async () => {
      button.disabled = true;
      row.querySelector(".notice")?.remove();
      try {
        await change(`${this.address}/${action}`);
        if (action === "stop") button.textContent = "Stopping …";
        else await this.load();
      } catch (error) {
        button.disabled = false;
        row.append(notice(error.message));
      }
    });
    row.append(button);
  }
}

async function questionsOf(names) {
  const { studies } = await ask("/api/studies");
  return names.map((name) => [name, studies.find(({ key }) => key === name)?.question ?? name]);
}
