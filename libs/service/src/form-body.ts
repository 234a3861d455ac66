import { Problem } from './problem.js';

/** What a form carries: text, all of it. */
export type FormFields = Readonly<Record<string, string>>;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses an `application/x-www-form-urlencoded` body into strings. A field that stands twice is refused, as RFC 6749 §3.2
 * asks.
 *
 * @throws Problem validation_failed
 */
export const parseFormBody = (bytes: Uint8Array): FormFields => formFields(new URLSearchParams(decodedForm(bytes)));

/**
 * The fields of a form, each once.
 *
 * @throws Problem validation_failed
 */
export const formFields = (entries: Iterable<readonly [name: string, value: string]>): FormFields => {
  const fields = new Map<string, string>();
  for (const [name, value] of entries) {
    if (fields.has(name)) throw fieldRefusal(name, 'duplicate_field', 'stands twice in the form');
    if (name === '__proto__' || `${name}${value}`.includes('\u0000')) {
      throw fieldRefusal(name.replaceAll('\u0000', ''), 'forbidden_character', 'is not a usable field');
    }
    fields.set(name, value);
  }
  return Object.fromEntries(fields);
};

/** @throws Problem validation_failed when the bytes are no UTF-8 */
export const decodedForm = (bytes: Uint8Array): string => {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new Problem('validation_failed', { detail: 'The form is not valid UTF-8.', cause });
  }
};

export const fieldRefusal = (name: string, code: string, message: string): Problem =>
  new Problem('validation_failed', { errors: [{ pointer: `/${name}`, code, message }] });
