import { metadataSchema } from '@payflow/contracts';
import { Problem } from '@payflow/service';

import type { Metadata } from '../domain/payment.js';

const KNOWN = new Set(['limit', 'cursor', 'status', 'reference', 'userId', 'merchantId', 'from', 'to']);

const refused = (name: string, code: string, message: string): Problem =>
  new Problem('validation_failed', { errors: [{ pointer: `?${name}`, code, message }] });

/**
 * `metadata[orderId]=ord_123` of a list's query; undefined without any.
 *
 * @throws Problem validation_failed for a parameter that the list does not know
 */
export const metadataFilterOf = (query: Readonly<Record<string, unknown>>): Metadata | undefined => {
  const entries = Object.entries(query).filter(([name]) => !KNOWN.has(name));
  if (entries.length === 0) return undefined;
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const key = /^metadata\[([^\]]*)\]$/.exec(name)?.[1];
      if (key === undefined) throw refused(name, 'unknown_field', 'is not a known parameter');
      const checked = metadataSchema.safeParse({ [key]: value });
      if (!checked.success) throw refused(name, 'invalid_value', checked.error.issues[0]?.message ?? 'is not usable');
      return [key, value as string];
    }),
  );
};
