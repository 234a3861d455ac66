import type { AcquirerOperation } from '@payflow/contracts';
import { Problem } from '@payflow/service';

import { operationOf, type OperationRow } from '../store/book.js';

export interface OperationAnswer {
  readonly operation: AcquirerOperation;
  /** The reference was in the book before. */
  readonly replayed: boolean;
}

/**
 * The first answer to a reference, for ever.
 *
 * @throws Problem reference_taken when the reference stands for another request
 */
export const replayOf = (row: OperationRow, hash: Buffer): OperationAnswer => {
  if (!hash.equals(row.requestHash)) throw new Problem('reference_taken', { detail: `Reference ${row.reference}.` });
  return { operation: operationOf(row), replayed: true };
};
