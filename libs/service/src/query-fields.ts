import { fieldRefusal } from './form-body.js';

/**
 * The fields of a request that may also come in its query: those of the body and those of the query together.
 *
 * @throws Problem validation_failed for a field that stands in both, since nobody could tell which was meant
 */
export const withQueryFields = (body: unknown, query: unknown): unknown => {
  const added = Object.entries((query ?? {}) as Readonly<Record<string, unknown>>);
  if (added.length === 0) return body;
  const written = body ?? {};
  // Not an object of fields: the route's schema refuses it as it is.
  if (typeof written !== 'object' || Array.isArray(written)) return body;
  for (const [name] of added) {
    if (name === '__proto__') throw fieldRefusal(name, 'forbidden_character', 'is not a usable field');
    if (Object.hasOwn(written, name))
      throw fieldRefusal(name, 'duplicate_field', 'stands in the body and in the query');
  }
  return { ...written, ...Object.fromEntries(added) };
};
