/** What the page says about an answer, in sentences. */

import { count, percent } from "./page.js";

const PLACES = [
  "first",
  "second",
  "third",
  "fourth",
  "fifth",
  "sixth",
  "seventh",
  "eighth",
  "ninth",
  "tenth",
];
const SURE = 0.9; // below it the runner-up is named

const REASONS = {
  "no ink": "Nothing here stands out as ink. Write a digit, or take a picture with more contrast.",
  "too small": "That is too small to be told from a speck of dust. Write larger.",
  "too many": "There are more pieces here than a page of digits has. Is it print, a drawing or a texture?",
  "not a digit":
    "There is ink, but unlike any digit the network knows; or digits that touch. Leave a little space between them.",
};

/** Say why a picture or a piece of ink was not read. */
export const because = (reason) => REASONS[reason] ?? reason;

/** Say how sure the answer is, and of what least. */
export function sureness({ status, reason, digits }) {
  if (status === "rejected") return because(reason);
  const read = digits.filter((digit) => !digit.reason);
  const doubtful = read.length < digits.length ? " The ? is ink unlike any digit." : "";
  const least = read.reduce((a, b) => (b.confidence < a.confidence ? b : a));
  return sentence(least, read, digits) + doubtful;
}

function sentence(least, read, digits) {
  const instead = `it could be a ${least.runner_up} (${percent(least.runner_up_confidence)})`;
  if (read.length === 1) {
    const sure = `${percent(least.confidence)} sure`;
    return least.confidence < SURE ? `${sure}; ${instead}.` : `${sure}.`;
  }
  if (least.confidence >= SURE)
    return `${atLeast(least.confidence)} sure of each of the ${count(read.length, "digit")}.`;
  const place = PLACES[digits.indexOf(least)] ?? `${digits.indexOf(least) + 1}th`;
  return `Least sure of the ${place}, ${least.digit}: ${percent(least.confidence)}; ${instead}.`;
}

function atLeast(share) {
  const words = percent(share);
  return words.startsWith(">") ? words.replace(">", "More than") : `At least ${words}`;
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
