import { Problem } from './problem.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses an `application/x-www-form-urlencoded` body into strings. A field that stands twice is refused, as RFC 6749 §3.2
 * asks.
 *
 * @throws Problem validation_failed
 */
export const parseFormBody = (bytes: Uint8Array): Readonly<Record<string, string>> => {
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(decoded(bytes))) {
    if (fields.has(name)) throw refusal(name, 'duplicate_field', 'stands twice in the form');
    if (name === '__proto__' || `${name}${value}`.includes('\u0000')) {
      throw refusal(name.replaceAll('\u0000', ''), 'forbidden_character', 'is not a usable field');
    }
    fields.set(name, value);
  }
  return Object.fromEntries(fields);
};

const decoded = (bytes: Uint8Array): string => {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new Problem('validation_failed', { detail: 'The form is not valid UTF-8.', cause });
  }
};

const refusal = (name: string, code: string, message: string): Problem =>
  new Problem('validation_failed', { errors: [{ pointer: `/${name}`, code, message }] });
