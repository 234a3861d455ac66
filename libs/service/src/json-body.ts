import type { FieldError } from '@payflow/contracts';

import { Problem } from './problem.js';

/** Deeper nesting has no use in this API and costs whoever walks the value. */
export const JSON_DEPTH_MAX = 20;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses a request body, and refuses what JSON.parse lets through and people read in two ways: duplicate keys (RFC 8259 §4
 * leaves their meaning open, so a proxy and a service could see two amounts), `__proto__`, numbers that a double would
 * round, lone surrogates and NUL (which Postgres cannot store).
 *
 * @throws Problem malformed_json | validation_failed
 */
export const parseJsonBody = (bytes: Uint8Array): unknown => {
  const text = decoded(bytes);
  const value = parsed(text);
  inspectJson(text);
  return value;
};

const decoded = (bytes: Uint8Array): string => {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new Problem('malformed_json', { detail: 'The body is not valid UTF-8.', cause });
  }
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    // V8's message quotes the body, which may hold a card.
    throw new Problem('malformed_json', { detail: 'The body is not valid JSON.', cause: withoutMessage(cause) });
  }
};

const withoutMessage = (cause: unknown): string => (cause instanceof Error ? cause.name : 'error');

interface Frame {
  /** The keys seen so far in an object; undefined in an array. */
  readonly keys: Set<string> | undefined;
  /** Where we are in it: the current key or index. */
  at: string | number;
}

/**
 * Walks the tokens of a text that JSON.parse has accepted, so that the grammar is settled and only the above is looked for.
 *
 * @throws Problem malformed_json | validation_failed
 */
export const inspectJson = (text: string): void => {
  const frames: Frame[] = [];
  let index = 0;
  let keyExpected = false;
  while (index < text.length) {
    const character = text[index];
    const frame = frames.at(-1);
    switch (character) {
      case '{':
      case '[':
        if (frames.length === JSON_DEPTH_MAX) {
          throw new Problem('malformed_json', { detail: `The body is nested deeper than ${JSON_DEPTH_MAX} levels.` });
        }
        frames.push(character === '{' ? { keys: new Set(), at: '' } : { keys: undefined, at: 0 });
        keyExpected = character === '{';
        index += 1;
        break;
      case '}':
      case ']':
        frames.pop();
        keyExpected = false;
        index += 1;
        break;
      case ',':
        if (frame?.keys !== undefined) keyExpected = true;
        else if (typeof frame?.at === 'number') frame.at += 1;
        index += 1;
        break;
      case '"': {
        const end = stringEnd(text, index);
        const string = stringAt(text, index, end);
        if (keyExpected && frame?.keys !== undefined) {
          enterKey(frames, frame.keys, string);
          frame.at = string;
          keyExpected = false;
        }
        checkString(frames, string);
        index = end;
        break;
      }
      case '-':
      case '0':
      case '1':
      case '2':
      case '3':
      case '4':
      case '5':
      case '6':
      case '7':
      case '8':
      case '9': {
        const end = numberEnd(text, index);
        checkNumber(frames, text.slice(index, end));
        index = end;
        break;
      }
      default:
        // White space, colon, and the letters of true, false and null.
        index += 1;
    }
  }
};

const BACKSLASH = 92;
const QUOTE = 34;

/** The index behind the closing quote. */
const stringEnd = (text: string, start: number): number => {
  let index = start + 1;
  while (text.charCodeAt(index) !== QUOTE) index += text.charCodeAt(index) === BACKSLASH ? 2 : 1;
  return index + 1;
};

const stringAt = (text: string, start: number, end: number): string => {
  const raw = text.slice(start + 1, end - 1);
  return raw.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : raw;
};

const numberEnd = (text: string, start: number): number => {
  let index = start + 1;
  while (index < text.length && '0123456789.eE+-'.includes(text.charAt(index))) index += 1;
  return index;
};

const enterKey = (frames: readonly Frame[], keys: Set<string>, key: string): void => {
  if (key === '__proto__') {
    throw new Problem('malformed_json', { detail: 'The body has a key named __proto__.' });
  }
  if (keys.has(key)) {
    const pointer = pointerOf([...frames.slice(0, -1).map(({ at }) => at), key]);
    throw new Problem('malformed_json', {
      detail: 'The body has a key twice in one object.',
      errors: [{ pointer, code: 'duplicate_key', message: 'stands twice in this object' }],
    });
  }
  keys.add(key);
};

const LONE_SURROGATE = /\p{Cs}/u;

const checkString = (frames: readonly Frame[], value: string): void => {
  if (value.includes('\u0000')) throw refusal(frames, 'forbidden_character', 'must not contain NUL');
  if (LONE_SURROGATE.test(value)) throw refusal(frames, 'forbidden_character', 'must not contain a lone surrogate');
};

const checkNumber = (frames: readonly Frame[], literal: string): void => {
  if (!isExact(literal)) throw refusal(frames, 'number_not_exact', 'has more digits than a number can hold');
};

/** Up to 15 significant digits every double keeps (IEEE 754: DBL_DIG); longer ones only if they come back the same. */
const isExact = (literal: string): boolean => {
  const written = significand(literal);
  if (written.digits.length <= 15 && Math.abs(written.exponent) < 290) return true;
  const kept = significand(String(Number(literal)));
  return kept.digits === written.digits && kept.exponent === written.exponent;
};

/** The number as digits × 10^exponent, without leading or trailing zeros. */
const significand = (literal: string): { readonly digits: string; readonly exponent: number } => {
  const [mantissa = '', power = '0'] = literal
    .replace('-', '')
    .toLowerCase()
    .split(/e(?=[+-]?\d+$)/);
  return normalized(mantissa, Number(power));
};

const normalized = (mantissa: string, power: number): { readonly digits: string; readonly exponent: number } => {
  const [whole = '', fraction = ''] = mantissa.split('.');
  const all = (whole + fraction).replace(/^0+/, '');
  const digits = all.replace(/0+$/, '');
  if (digits === '') return { digits: '', exponent: 0 };
  return { digits, exponent: power - fraction.length + (all.length - digits.length) };
};

const refusal = (frames: readonly Frame[], code: string, message: string): Problem => {
  const error: FieldError = { pointer: pointerOf(frames.map(({ at }) => at)), code, message };
  return new Problem('validation_failed', { errors: [error] });
};

/** RFC 6901. */
export const pointerOf = (path: readonly PropertyKey[]): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
