/** The page of the studies: all of them, one of them, or a new one, as the address says. */

import { ask } from "./api.js";
import { byId, count, make, notice } from "./page.js";
import { studyForm } from "./study-form.js";
import { StudyPage } from "./study.js";

const AGAIN = 4000; // milliseconds between looks at the list while a study runs

const NOT_THE_OWNER =
  "To start and stop studies, open the address with a key that digitlab serve printed, on the computer that runs the server.";

const GROUPS = [
  ["Running", ({ state }) => state === "running"],
  ["Paused", ({ state }) => state === "paused"],
  ["Finished", ({ state }) => state === "finished"],
  ["Not started", ({ state }) => state === "new"],
];

const view = byId("view");
let open = null;
let turn = 0;
let timer = null;

async function route(event) {
  const mine = ++turn;
  const key = decodeURIComponent(location.hash.slice(1));
  open?.close();
  open = null;
  clearTimeout(timer);
  try {
    const content = key === "new" ? await studyForm() : key ? await one(key) : await all();
    if (mine !== turn) return content.close?.();
    view.replaceChildren(content.element ?? content);
    if (content.close) open = content;
    if (event) view.querySelector("h1")?.focus();
  } catch (error) {
    if (mine === turn)
      view.replaceChildren(make("h1", { tabindex: -1 }, "Studies"), notice(error.message), back());
  }
}

async function one(key) {
  const page = new StudyPage(key, back());
  await page.load();
  return page;
}

const back = () => make("p", {}, make("a", { href: "#" }, "All studies"));

async function all() {
  const list = make("div");
  await fillList(list, turn);
  return list;
}

async function fillList(list, mine) {
  const { studies, running, runnable } = await ask("/api/studies");
  if (mine !== turn) return;
  const groups = GROUPS.map(([title, belongs]) => [title, studies.filter(belongs)]).filter(
    ([, members]) => members.length,
  );
  list.replaceChildren(
    make("h1", { tabindex: -1 }, "Studies"),
    make(
      "p",
      {},
      "A study answers a question by training networks with several seeds each, with confidence intervals and tests.",
    ),
    runnable
      ? make("p", {}, make("a.button.main", { href: "#new" }, "New study"))
      : make("p.quiet", {}, NOT_THE_OWNER),
    ...groups.map(([title, members]) =>
      make("section", {}, make("h2", {}, title), make("ul.questions", {}, ...members.map(item))),
    ),
  );
  if (running) timer = setTimeout(() => fillList(list, mine).catch(() => {}), AGAIN);
}

function item({ key, name, data, question, kind, done, failed, total, seeds, levels, report, message }) {
  const size =
    kind === "collection"
      ? "several studies on one page"
      : `${count(levels, "level")}, ${count(seeds, "seed")} each`;
  const faults = failed ? `, ${failed} failed` : "";
  const begun =
    done || failed
      ? `${done} of ${count(total, "result")}${faults}` // a longer training gives those of shorter ones, too
      : `${count(total, "result")} to compute`;
  return make(
    "li",
    {},
    make("a.question", { href: `#${encodeURIComponent(key)}` }, question),
    make("span.quiet.small", {}, `${name} on ${data} · ${size} · ${begun}`),
    done && done < total ? make("progress", { max: total, value: done, "aria-label": "results" }) : null,
    message ? make("span.bad.small", {}, message) : null,
    report ? make("a.small", { href: report, "aria-label": `Report of ${key}` }, "Report") : null,
  );
}

window.addEventListener("hashchange", route);
await route();
