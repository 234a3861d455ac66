/** Where a value stands in a text: from its first character to behind its last. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const SPACE = /[\t\n\r ]/;

const skipSpace = (text: string, index: number): number => {
  let at = index;
  while (SPACE.test(text.charAt(at))) at += 1;
  return at;
};

const stringEnd = (text: string, start: number): number => {
  let index = start + 1;
  while (text[index] !== '"') index += text[index] === '\\' ? 2 : 1;
  return index + 1;
};

/** The end of a value: of a string at its quote, of an object or array at the bracket that closes it, else at a delimiter. */
const valueEnd = (text: string, start: number): number => {
  let depth = 0;
  let index = start;
  do {
    const character = text.charAt(index);
    if (character === '"') {
      index = stringEnd(text, index);
      continue;
    }
    if (character === '{' || character === '[') depth += 1;
    if (character === '}' || character === ']') depth -= 1;
    index += 1;
  } while (
    depth > 0 ||
    (index < text.length && !/[,}\]\s]/.test(text.charAt(index)) && /[\w.+-]/.test(text.charAt(index)))
  );
  return index;
};

/**
 * The value of a member of the outermost object. The text is valid JSON without duplicate keys: parse it first. With the
 * span, one value is replaced and every other byte of the body stays as the caller wrote it (numbers above 2^53, escapes,
 * order), which parsing and printing would not promise.
 */
export const memberSpan = (text: string, name: string): Span | undefined => {
  let index = skipSpace(text, 0);
  if (text[index] !== '{') return undefined;
  index = skipSpace(text, index + 1);
  while (index < text.length && text[index] !== '}') {
    const keyEnd = stringEnd(text, index);
    const key = JSON.parse(text.slice(index, keyEnd)) as string;
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = valueEnd(text, start);
    if (key === name) return { start, end };
    index = skipSpace(text, end);
    if (text[index] === ',') index = skipSpace(text, index + 1);
  }
  return undefined;
};
