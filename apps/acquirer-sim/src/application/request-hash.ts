import { createHash } from 'node:crypto';

import { canonicalJson, type Json } from '@payflow/kernel';

/**
 * What two requests with one reference are compared by. The caller leaves out what must not be stored: a plain hash of a
 * card number or a CVC is found by trying all of them (PCI DSS 3.5.1.1).
 */
export const requestHash = (request: Json): Buffer => createHash('sha256').update(canonicalJson(request)).digest();
