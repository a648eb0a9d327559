/** Tables of plain values. */

import { make } from "./page.js";

/**
 * Fill a table.
 * @param {HTMLTableElement} table - is emptied first.
 * @param {Array<{title: string, right?: boolean}>} columns - the first heads its row.
 * @param {Array<Array<Node|string|number|null>>} rows - a cell for each column.
 */
export function fillTable(table, columns, rows) {
  const head = columns.map(({ title, right }) =>
    make("th", { scope: "col", class: right && "right" }, title),
  );
  const body = rows.map((cells) =>
    make("tr", {}, ...cells.map((cell, index) => cellOf(cell, columns[index], index))),
  );
  table.replaceChildren(make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body));
  return table;
}

function cellOf(cell, column, index) {
  const attributes = { class: column.right && "right" };
  return index === 0 ? make("th", { scope: "row", ...attributes }, cell) : make("td", attributes, cell);
}

/** Put a table where it can be scrolled sideways. */
export const scrolling = (label, table) =>
  make("div.scroll", { role: "region", "aria-label": label, tabindex: 0 }, table);

/** Write terms and what they are. */
export function facts(entries) {
  const known = entries.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return make("dl", {}, ...known.flatMap(([term, value]) => [make("dt", {}, term), make("dd", {}, value)]));
}
