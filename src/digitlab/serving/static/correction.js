/** "Correct digit:": keeps a corrected drawing on the computer that serves the page, after asking. */

import { ask, change } from "./api.js";
import { byId, count, make, recall, remember } from "./page.js";

const AGREED = "digitlab-agreed"; // asked once a visit

/** Offer to correct a digit; none hides the offer. */
export function offerCorrection(digit) {
  const place = byId("correction");
  place.hidden = !digit;
  if (!digit) return;
  const keys = Array.from({ length: 10 }, (_, label) =>
    make(
      "button.key",
      { type: "button", "aria-label": `Correct digit: ${label}`, click: () => keep(digit, label) },
      label,
    ),
  );
  place.replaceChildren(
    make("span", { id: "correction-words" }, "Correct digit:"),
    make("span.keypad", { role: "group", "aria-labelledby": "correction-words" }, ...keys),
  );
}

async function keep(digit, label) {
  try {
    if (!(await agreed())) return say("It was not saved.");
    const { path, count: kept } = await change("/api/kept", { label, image: digit.image, consent: true });
    say(`Saved as a ${label}: ${path} (${count(kept, "drawing")} in total).`);
  } catch (error) {
    say(error.message);
  }
}

function say(words) {
  const place = byId("correction");
  place.replaceChildren(make("p.said", { role: "status" }, words));
}

async function agreed() {
  if (recall(AGREED)) return true;
  const { folder } = await ask("/api/kept");
  byId("consent-folder").textContent = folder;
  const dialog = byId("consent");
  dialog.returnValue = "no"; // what Escape means
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  if (dialog.returnValue !== "yes") return false;
  remember(AGREED, "yes");
  return true;
}
