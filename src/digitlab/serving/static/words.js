/** What the page says about an answer, in sentences. */

import { percent } from "./page.js";

const SURE = 0.9; // below it the runner-up is named

const REASONS = {
  "no ink": "No ink was found. Write a digit, or take a picture with more contrast.",
  "too small": "The ink is too small to tell from noise. Write larger.",
  "too many": "Too many connected components for a page of digits. Is it print, a drawing or a texture?",
  "not a digit":
    "The ink is unlike the digits of the training data, or digits touch. Leave a little space between them.",
  "upside down": "The writing is upside down. Turn the picture and try again.",
};

/** Say why a picture or a piece of ink was not read. */
export const because = (reason) => REASONS[reason] ?? reason;

/** Say how sure the answer is: of its row, or of the least certain of several. */
export function sureness({ status, reason, lines }) {
  if (status === "rejected") return because(reason);
  const least = lines.reduce((a, b) => (b.confidence < a.confidence ? b : a));
  const row = lines.length === 1 ? "" : `Row ${lines.indexOf(least) + 1}, ${least.text}: `;
  const doubt = lines.some(({ text }) => text.includes("?")) ? ` ${DOUBT}` : "";
  if (least.text.includes("?")) return row + doubt.trim();
  const of = least.text.length === 1 ? "" : lines.length === 1 ? " for the whole row" : ", the lowest of all rows";
  const other = least.alternatives.find(({ text }) => text !== least.text);
  const instead = other && least.confidence < SURE;
  return `${row}${percent(least.confidence)} confidence${of}${instead ? `; it could be ${named(other)}` : ""}.${doubt}`;
}

/** Name what a row may say instead, with its probability. */
export const named = ({ text, probability }) => `${text || "no number"} (${percent(probability)})`;

const DOUBT =
  "A ? marks ink of a digit’s size that is not a digit, or on which row reader and classifier disagree: check it.";

/** Say what the reader of rows and the classifier of single digits make of one digit, in sentences. */
export function opinionWords({ reason, opinions }) {
  const words = reason ? [because(reason)] : [];
  if (!opinions) return words;
  const { row, form } = opinions;
  const seen = row.digit === null ? "no digit" : row.digit;
  words.push(`Row reader: ${seen} (${percent(row.probability)}).`);
  words.push(
    `Classifier: ${form.digit} (${percent(form.probability)}); probability of a digit: ${percent(form.likely_digit)}.`,
  );
  return words;
}

const STEPS = {
  grey: "The input, upright, in greyscale",
  "evenly lit": "The same with even illumination",
  paper: "The estimated background",
  contrast: "Difference from the background",
  ink: "The ink, binarized",
  form: "Each digit centred in 28 × 28 pixels, as in MNIST",
};

/** Say what a step of the preparation did. */
export const stepWords = (name) => STEPS[name] ?? name;
