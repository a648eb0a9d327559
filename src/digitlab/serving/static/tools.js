/** The tools under the pad, and the other ways in for a picture: file, camera, clipboard, drop. */

import { writeExample } from "./example.js";
import { byId } from "./page.js";

/**
 * Connect the tools of pad.html.
 * @param pad - the Pad that they work on.
 * @param {string} example - what is written for those who only want to look.
 */
export function connectTools(pad, example) {
  byId("example").addEventListener("click", () => writeExample(pad, example));
  byId("undo").addEventListener("click", () => pad.undo());
  byId("clear").addEventListener("click", () => pad.clear());
  /** @type {NodeListOf<HTMLInputElement>} */
  const pens = document.querySelectorAll("input[name=pen]");
  for (const pen of pens) {
    pen.addEventListener("change", () => (pad.width = Number(pen.value)));
    if (pen.checked) pad.width = Number(pen.value); // the browser remembers it when the page is reloaded
  }
  for (const change of ["drawing", "lifted", "emptied"]) {
    pad.element.addEventListener(change, () => enable(pad));
  }
  enable(pad);
  connectPictures(pad);
}

function enable(pad) {
  byId("undo").disabled = byId("clear").disabled = pad.empty;
}

function connectPictures(pad) {
  for (const input of [byId("photo"), byId("open")]) {
    input.addEventListener("change", () => {
      if (input.files.length) pad.showPicture(input.files[0]);
      input.value = ""; // so that the same file can be chosen again
    });
  }
  document.addEventListener("paste", (event) => take(pad, event, event.clipboardData));
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    pad.element.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) pad.element.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    pad.element.classList.remove("dropping");
    take(pad, event, event.dataTransfer);
  });
}

/* Whatever file is given is shown to the service, which says why it cannot read it if it cannot. */
function take(pad, event, data) {
  const file = [...(data?.files ?? [])][0];
  if (!file) return;
  event.preventDefault();
  pad.showPicture(file);
}
