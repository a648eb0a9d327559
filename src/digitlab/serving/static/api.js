/** The service's HTTP interface, as the pages use it. */

/** @type {HTMLMetaElement} */
const TOKEN_ELEMENT = document.querySelector("meta[name=digitlab-token]");
const TOKEN = TOKEN_ELEMENT.content;
const BUSY_WAITS = [300, 1000, 2000]; // milliseconds between tries when the queue is full

/** What the service said against a request, in its own words. */
export class Refusal extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * Ask the service.
 * @param {string} path - address under this origin.
 * @param {RequestInit} options - as `fetch` takes them.
 * @returns the values of the JSON answer.
 * @throws {Refusal} it was refused, or nobody answers.
 */
export async function ask(path, options = {}) {
  for (const wait of [...BUSY_WAITS, null]) {
    const response = await reach(path, options);
    if (response.status === 503 && wait !== null) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      options.signal?.throwIfAborted();
      continue;
    }
    const values = await response.json().catch(() => ({}));
    if (response.ok) return values;
    throw new Refusal(values.error ?? `the service answered ${response.status}`, response.status);
  }
}

/** Ask for something that changes what is stored or runs. */
export function change(path, values = {}) {
  const headers = { "Content-Type": "application/json", "X-Digitlab-Token": TOKEN };
  return ask(path, { method: "POST", headers, body: JSON.stringify(values) });
}

/** Send a picture to be read or looked at. */
export function send(path, picture, signal) {
  const headers = { "Content-Type": picture.type || "application/octet-stream" };
  return ask(path, { method: "POST", headers, body: picture, signal });
}

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("The service does not respond. Is `digitlab serve` still running?", 0);
  }
}

/** The networks that can be asked, the one that answers unless told otherwise first. */
export async function soundModels() {
  const { default: first, models } = await ask("/api/models");
  const sound = models.filter((model) => !model.error);
  return sound.sort((a, b) => Number(b.id === first) - Number(a.id === first));
}
