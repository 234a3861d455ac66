import type { Tx } from '@payflow/postgres';
import { Problem } from '@payflow/service';

import { changeOf, type Side } from '../domain/correction.js';
import { lockExpectedLine } from '../store/expected-lines.js';
import { findEntryNow, findLineNow, findReportLine } from '../store/reported-lines.js';
import type { ExceptionRow } from '../store/settlement-exceptions.js';

export interface Sides {
  readonly ours: Side | undefined;
  readonly theirs: (Side & { readonly at: Date }) | undefined;
}

/** What our books say of the line now, and what the other side said when the exception was raised. */
export const sidesOf = async (tx: Tx, row: ExceptionRow): Promise<Sides> => {
  const ours = await lockExpectedLine(tx, row);
  const theirs =
    row.reportId === null || row.line === null ? undefined : await findReportLine(tx, row.reportId, row.line);
  return { ours, theirs };
};

/** The two sides of a difference that is still the one that was raised. @throws Problem difference_changed */
export const unchangedSidesOf = async (tx: Tx, row: ExceptionRow): Promise<Sides> => {
  const sides = await sidesOf(tx, row);
  const theirs =
    row.reportId === null || row.line === null
      ? await findLineNow(tx, row)
      : await findEntryNow(tx, row.reportId, row.line);
  const detail = changeOf({ ...row, theirs: sides.theirs }, { ours: sides.ours, theirs });
  if (detail !== undefined) throw new Problem('difference_changed', { detail });
  return sides;
};
