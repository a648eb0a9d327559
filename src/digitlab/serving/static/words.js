/** What the page says about an answer, in sentences. */

import { percent } from "./page.js";

const SURE = 0.9; // below it the runner-up is named

const REASONS = {
  "no ink": "Nothing here stands out as ink. Write a digit, or take a picture with more contrast.",
  "too small": "That is too small to be told from a speck of dust. Write larger.",
  "too many": "There are more pieces here than a page of digits has. Is it print, a drawing or a texture?",
  "not a digit":
    "There is ink, but unlike any digit the network knows; or digits that touch. Leave a little space between them.",
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
  const of = least.text.length === 1 ? "" : lines.length === 1 ? " of all of it" : ", the least sure row";
  const other = least.alternatives.find(({ text }) => text !== least.text);
  const instead = other && least.confidence < SURE;
  return `${row}${percent(least.confidence)} sure${of}${instead ? `; it could be ${named(other)}` : ""}.${doubt}`;
}

/** Name what a row may say instead, with its probability. */
export const named = ({ text, probability }) => `${text || "no number"} (${percent(probability)})`;

const DOUBT =
  "The ? is ink of a digit’s size that is no digit, or on which the two readers do not agree: check it by eye.";

/** Say what the reader of rows and the classifier of single digits make of one digit, in sentences. */
export function opinionWords({ reason, opinions }) {
  const words = reason ? [because(reason)] : [];
  if (!opinions) return words;
  const { row, form } = opinions;
  const seen = row.digit === null ? "no digit here" : `a ${row.digit}`;
  words.push(`In its row it reads as ${seen} (${percent(row.probability)}).`);
  words.push(
    `By itself it looks like a ${form.digit} (${percent(form.probability)}), and ${percent(form.likely_digit)} like a digit at all.`,
  );
  return words;
}

const STEPS = {
  grey: "What was given, upright, in shades of grey",
  "evenly lit": "The same, evenly lit",
  paper: "The paper, as it must look without ink",
  contrast: "How far each point differs from the paper",
  ink: "What of it is ink",
  form: "Each digit centred in 28 × 28 pixels, as in MNIST",
};

/** Say what a step of the preparation did. */
export const stepWords = (name) => STEPS[name] ?? name;
