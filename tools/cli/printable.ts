/*
 * What merchants, payers and producers of events wrote is shown to operators. A terminal obeys control characters: they could
 * clear the screen, hide a line or write another one (CWE-150). Characters that turn the direction of writing lie as well.
 */
const OBEYED = String.raw`[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]`;
const OBEYED_IN_LINES = new RegExp(String.raw`(?![\n\t])${OBEYED}`, 'gu');
const OBEYED_IN_A_LINE = new RegExp(OBEYED, 'gu');

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** For one line, such as a cell: what a terminal would obey is written as its code. */
export const printable = (text: string): string => text.replaceAll(OBEYED_IN_A_LINE, escaped);

/** For a text of several lines. */
export const printableLines = (text: string): string => text.replaceAll(OBEYED_IN_LINES, escaped);

/** The same document for whoever parses it: JSON leaves some of these characters as they are. */
export const printableJson = (value: unknown, indent?: number): string =>
  printableLines(JSON.stringify(value, undefined, indent));
