/** The page of the networks. */

import { ask } from "./api.js";
import { showCard } from "./card.js";
import { showComparison } from "./comparison.js";
import { byId, make, notice, whole } from "./page.js";
import { fillTable } from "./table.js";

const ORIGINS = { shipped: "shipped with digitlab", user: "yours", given: "set with --model" };
const COLUMNS = [
  { title: "network" },
  { title: "test error", right: true },
  { title: "parameters", right: true },
  { title: "multiply-adds per image", right: true },
  { title: "recipe" },
  { title: "data" },
  { title: "from" },
  { title: "" },
];

const address = (id) => `#${encodeURIComponent(id)}`;

function row(model, worst) {
  if (model.error)
    return [
      model.title,
      make("span.bad", {}, "cannot be used"),
      "",
      "",
      "",
      "",
      ORIGINS[model.origin],
      make("span.small", {}, model.error),
    ];
  const error = make(
    "span",
    {},
    make("span.meter", { "aria-hidden": "true", "--share": model.test_error / worst }),
    `${model.test_error.toFixed(2)} %`,
  );
  const look = make(
    "a",
    { href: `/look${address(model.id)}`, "aria-label": `Look inside ${model.title}` },
    "look inside",
  );
  return [
    make("a", { href: address(model.id) }, model.title),
    error,
    whole(model.parameters),
    whole(model.multiply_adds),
    model.recipe,
    model.data,
    ORIGINS[model.origin],
    look,
  ];
}

function offerComparison(models) {
  const form = byId("compare");
  for (const [place, name] of ["a", "b"].entries()) {
    form[name].append(...models.map(({ id, title }) => make("option", { value: id }, title)));
    form[name].selectedIndex = Math.min(place, models.length - 1);
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    compare(form, models);
  });
  form.querySelector("button").disabled = false;
}

async function compare(form, models) {
  const place = byId("comparison");
  const title = (id) => models.find((model) => model.id === id).title;
  const [a, b] = [form.a.value, form.b.value];
  place.replaceChildren(
    make("p.busy", { role: "status" }, `${title(a)} and ${title(b)} are classifying 10,000 digits each …`),
  );
  form.querySelector("button").disabled = true;
  try {
    const found = await ask(`/api/compare?a=${encodeURIComponent(a)}&b=${encodeURIComponent(b)}`);
    showComparison(place, found, title(a), title(b));
  } catch (error) {
    place.replaceChildren(notice(error.message));
  }
  form.querySelector("button").disabled = false;
}

async function open() {
  const id = decodeURIComponent(location.hash.slice(1));
  const place = byId("card");
  place.hidden = !id;
  if (!id) return;
  try {
    showCard(place, await ask(`/api/models/${encodeURIComponent(id)}`));
  } catch (error) {
    place.replaceChildren(notice(error.message));
  }
  place.focus();
  place.scrollIntoView({ block: "start" });
}

window.addEventListener("hashchange", open);
try {
  const { models } = await ask("/api/models");
  const sound = models.filter(({ error }) => !error);
  const worst = Math.max(...sound.map((model) => model.test_error));
  fillTable(
    byId("models"),
    COLUMNS,
    models.map((model) => row(model, worst)),
  );
  offerComparison(sound);
  await open();
} catch (error) {
  byId("main").prepend(notice(error.message));
}
