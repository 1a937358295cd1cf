// The sentences of the catalogue in the reader's language, their {names} filled.

import type { Said } from "./facts";
import { count, number } from "./numbers";

/** Sentences by id, by language. */
export type Messages = Record<string, Record<string, string>>;
export type Value = number | string | null;

/** Returns a value as a person reads it: whole numbers with thousands apart, others with four digits. */
export function shown(value: Value | undefined): string {
  if (typeof value === "string") return value;
  return typeof value === "number" && Number.isInteger(value) ? count(value) : number(value);
}

/** Fills the {names} of a sentence; {{ and }} are braces. */
export function filled(sentence: string, values: Record<string, Value>): string {
  return sentence.replace(/\{\{|\}\}|\{(\w+)\}/g, (found, name?: string) =>
    name === undefined ? found[0]! : shown(values[name]),
  );
}

/** Returns the function that says a message in a language. */
export function speaker(messages: Messages, language: string): Say {
  const known = messages[language] ?? {};
  return (id, values = {}) => filled(known[id] ?? id, values);
}

/** Says a message; an id that the catalogue does not have is its own word, as of a method with its own name. */
export type Say = (id: string, values?: Record<string, Value>) => string;

/** Says a sentence of the report; a method in it is called by its name. */
export function saying(say: Say, { id, values }: Said): string {
  const { method } = values;
  if (typeof method !== "string") return say(id, values);
  const known = `page.method.${method}`;
  const name = say(known);
  return say(id, { ...values, method: name === known ? method : name });
}
