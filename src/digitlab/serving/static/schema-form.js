/** Fields made from a JSON schema, and the values that were written into them. */

import { make } from "./page.js";

let fields = 0;

/**
 * Make the fields of an object's properties.
 * @param {object} schema - of the object.
 * @param {object} root - the whole schema, for its $defs.
 * @param {Object<string, object>} hints - by property's path ("axes.path"): words, suggestions (a datalist's id),
 *   wide (a long text), folded.
 * @param {string} path - of the object itself.
 * @returns {{element: HTMLElement, read: () => object, write: (values: object) => void}}
 */
export function objectFields(schema, root, hints, path = "") {
  const help = helpOf(schema);
  const required = schema.required ?? [];
  const parts = Object.entries(schema.properties).map(([name, inner]) => {
    const place = path ? `${path}.${name}` : name;
    const about = { name, help: help[name], required: required.includes(name), ...hints[place] };
    return [name, fieldOf(inner, root, about, hints, place)];
  });
  const shown = parts.filter(([, part]) => part);
  return {
    element: make("div.fields", {}, ...shown.map(([, part]) => part.element)),
    read: () =>
      Object.fromEntries(
        shown.map(([name, part]) => [name, part.read()]).filter(([, value]) => value !== undefined),
      ),
    write: (values) => shown.forEach(([name, part]) => part.write(values?.[name])),
  };
}

function fieldOf(schema, root, about, hints, path) {
  if (about.hidden) return null;
  const plain = resolve(schema, root);
  if (plain.type === "array" && resolve(plain.items, root).properties)
    return repeated(plain, root, about, hints, path);
  if (plain.type === "array") return text(about, listOf, (values) => values.map(String).join(", "));
  if (plain.properties) return folded(objectFields(plain, root, hints, path), about);
  if (plain.enum) return choice(plain.enum, about);
  if (plain.type === "object") return lines(about);
  if (plain.type === "integer" || plain.type === "number") return number(plain, about);
  if (plain.type === "string") return text(about, (words) => words, String, plain.pattern);
  return text(about, scalarOf, String);
}

/* What a field takes: the first of several forms that is no null, a plain one before a table. */
function resolve(schema, root) {
  const known = schema.$ref ? { ...root.$defs[schema.$ref.split("/").at(-1)], ...schema } : schema;
  const forms = (known.anyOf ?? known.oneOf)?.filter(({ type }) => type !== "null");
  if (!forms) return known;
  const words = forms.find(({ type }) => type === "string");
  const scalars = forms.every(({ type }) => type && type !== "object" && type !== "array");
  if (scalars && forms.length > 1) return { ...known, type: "scalar" };
  return resolve({ ...known, anyOf: undefined, oneOf: undefined, ...(words ?? forms[0]) }, root);
}

function labelled(input, { name, words, help, required }) {
  const id = `field-${++fields}`;
  input.id = id;
  input.required = Boolean(required);
  input.name = name;
  const hint = help ? make("small", { id: `${id}-help` }, ...withCode(help)) : null;
  if (hint) input.setAttribute("aria-describedby", hint.id);
  return make("div.field", {}, make("label", { for: id }, words ?? titled(name)), input, hint);
}

/* Browsers want the hyphen at the end of a class escaped, which others allow. */
function text(about, parse, write, pattern) {
  const input = about.wide
    ? make("textarea", { rows: 2 })
    : make("input", {
        type: "text",
        pattern: pattern?.replace("-]", "\\-]"),
        list: about.suggestions,
        autocomplete: "off",
        spellcheck: "false",
      });
  return {
    element: labelled(input, about),
    read: () => (input.value.trim() === "" ? undefined : parse(input.value.trim())),
    write: (value) => (input.value = value === undefined || value === null ? "" : write(value)),
  };
}

function number({ minimum, maximum, type, default: usual }, about) {
  const input = make("input", {
    type: "number",
    min: minimum,
    max: maximum,
    step: type === "integer" ? 1 : "any",
    value: usual,
  });
  return {
    element: labelled(input, about),
    read: () => (input.value === "" ? undefined : Number(input.value)),
    write: (value) => (input.value = value ?? usual ?? ""),
  };
}

function choice(options, about) {
  const input = make("select", {}, ...options.map((option) => make("option", { value: option }, option)));
  return {
    element: labelled(input, about),
    read: () => input.value,
    write: (value) => (input.value = value ?? options[0]),
  };
}

/* A table of settings: `path = value`, one a line. */
function lines(about) {
  const input = make("textarea", { rows: 2, placeholder: "training.epochs = 5", spellcheck: "false" });
  const parse = (words) =>
    Object.fromEntries(
      words
        .split("\n")
        .filter((line) => line.includes("="))
        .map((line) => {
          const [path, ...value] = line.split("=");
          return [path.trim(), valueOf(value.join("=").trim())];
        }),
    );
  const write = (values) =>
    Object.entries(values ?? {})
      .map(([path, value]) => `${path} = ${JSON.stringify(value)}`)
      .join("\n");
  return {
    element: labelled(input, about),
    read: () => parse(input.value),
    write: (values) => (input.value = write(values)),
  };
}

function repeated({ items }, root, about, hints, path) {
  const list = make("div.repeated");
  let parts = [];
  const add = (values) => {
    const part = objectFields(resolve(items, root), root, hints, path);
    const remove = make("button.danger", { type: "button" }, `Remove this ${about.one}`);
    const box = make("fieldset.box", {}, make("legend.unseen", {}, about.one), part.element, remove);
    remove.addEventListener("click", () => {
      parts = parts.filter((other) => other !== part);
      box.remove();
      more.focus();
    });
    part.write(values);
    parts.push(part);
    list.append(box);
  };
  const more = make(
    "button",
    { type: "button", click: () => add({}) },
    `Add ${about.article ?? "a"} ${about.one}`,
  );
  return {
    element: make(
      "fieldset.field",
      {},
      make("legend", {}, about.words ?? about.name),
      about.help ? make("small", {}, about.help) : null,
      list,
      more,
    ),
    read: () => parts.map((part) => part.read()),
    write: (values) => {
      parts = [];
      list.replaceChildren();
      for (const each of values ?? [{}]) add(each);
    },
  };
}

function folded(part, about) {
  return {
    ...part,
    element: make("details.field", {}, make("summary", {}, about.words ?? about.name), part.element),
  };
}

const titled = (name) => (name[0].toUpperCase() + name.slice(1)).replaceAll("_", " ");

/* Words in backticks are code. */
const withCode = (words) =>
  words.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));

const listOf = (words) =>
  words
    .split(",")
    .map((word) => word.trim())
    .filter(Boolean)
    .map(scalarOf);

function scalarOf(word) {
  if (word === "true" || word === "false") return word === "true";
  return word !== "" && Number.isFinite(Number(word)) ? Number(word) : word;
}

function valueOf(words) {
  try {
    return JSON.parse(words);
  } catch {
    return words;
  }
}

/* What the schema's description says of each field, under "Attributes:". */
function helpOf({ description = "" }) {
  const found = {};
  for (const [, name, words] of (description.split("Attributes:\n")[1] ?? "").matchAll(
    /^ {4}(\w+): ((?:.|\n {8})*)/gm,
  )) {
    found[name] = words.replace(/\s+/g, " ").replace(/^./, (first) => first.toUpperCase());
  }
  return found;
}

/** Give the dotted paths of all single settings that a schema has. */
export function settingPaths(schema, root, path) {
  const plain = schema.$ref ? root.$defs[schema.$ref.split("/").at(-1)] : schema;
  const forms = plain.oneOf ?? plain.anyOf?.filter(({ type }) => type !== "null");
  if (forms) return [...new Set(forms.flatMap((form) => settingPaths(form, root, path)))];
  if (plain.const) return [];
  if (plain.type === "array") return settingPaths(plain.items, root, `${path}.0`);
  if (!plain.properties) return [path];
  return Object.entries(plain.properties).flatMap(([name, inner]) =>
    settingPaths(inner, root, `${path}.${name}`),
  );
}
