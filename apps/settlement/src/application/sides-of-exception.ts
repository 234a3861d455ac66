import type { Tx } from '@payflow/postgres';

import type { Side } from '../domain/correction.js';
import { findReportLine } from '../store/corrections.js';
import { findExpectedLine } from '../store/expected-lines.js';
import type { ExceptionRow } from '../store/settlement-exceptions.js';

/** What the two sides say of the line of an exception now. */
export const sidesOf = async (
  tx: Tx,
  row: ExceptionRow,
): Promise<{ readonly ours: Side | undefined; readonly theirs: (Side & { readonly at: Date }) | undefined }> => {
  const [ours, theirs] = await Promise.all([
    findExpectedLine(tx, row),
    row.reportId === null || row.line === null ? undefined : findReportLine(tx, row.reportId, row.line),
  ]);
  return { ours, theirs };
};
