import { Injectable } from '@nestjs/common';
import { Outbox, PoisonError } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';
import { type Context, crashPoint } from '@payflow/service';

import type { PaymentSettled } from '../domain/events.js';
import type { SettlementPart } from '../domain/settlement-parts.js';
import { appendEventOfEach } from '../store/payment-events.js';
import {
  findSettlements,
  insertSettlements,
  lockSettledPayments,
  raiseVersions,
  type SettledPaymentRow,
} from '../store/payment-settlements.js';
import { settledPublication } from './publications.js';

/** In one statement: so many fit into a second, and into the memory of a small process. */
const PARTS_MAX = 1_000;

type Part = SettlementPart & { readonly context: Context };
type Subject = SettledPaymentRow;

interface SettledPart {
  readonly part: Part;
  readonly subject: Subject;
  readonly version: number;
  readonly event: PaymentSettled;
}

const keyOf = (paymentId: string, settlementId: string): string => `${paymentId} ${settlementId}`;

/**
 * Tells of payments that they are settled. A settlement has a hundred thousand of them and decides nothing about any, so
 * none is folded: what is written depends on the row's version and on what is settled already, both read under its lock.
 */
@Injectable()
export class SettlePayments {
  constructor(private readonly outbox: Outbox) {}

  /**
   * Once for each payment and settlement, however often it is told.
   *
   * @throws PoisonError for a payment that is not here: settlement has paid for what never was
   */
  async run(tx: Tx, parts: readonly Part[]): Promise<void> {
    // All of them in one order, slice for slice: two instances that settle the same payments do not wait in a circle.
    const sorted = parts.toSorted((a, b) => (a.paymentId < b.paymentId ? -1 : 1));
    for (let from = 0; from < sorted.length;) {
      const to = endOfSlice(sorted, from);
      await this.settle(tx, sorted.slice(from, to));
      from = to;
    }
  }

  private async settle(tx: Tx, parts: readonly Part[]): Promise<void> {
    const paymentIds = [...new Set(parts.map(({ paymentId }) => paymentId))];
    const [rows, before] = await Promise.all([lockSettledPayments(tx, paymentIds), findSettlements(tx, paymentIds)]);
    const settled = settledParts(parts, rows, before);
    if (settled.length === 0) return;
    const cause = { requestId: 'settlement', principalId: 'svc_settlement' };
    await Promise.all([
      raiseVersions(tx, settled),
      appendEventOfEach(tx, settled, cause),
      insertSettlements(tx, settled),
      this.outbox.publish(
        tx,
        settled.map(({ event, subject, part: { context } }) => ({ ...settledPublication(event, subject), context })),
      ),
    ]);
    crashPoint('payment.settle.before-commit');
  }
}

/** All parts of a payment are in one slice: they raise one version. */
const endOfSlice = (sorted: readonly Part[], from: number): number => {
  let to = Math.min(sorted.length, from + PARTS_MAX);
  while (to < sorted.length && sorted[to]?.paymentId === sorted[to - 1]?.paymentId) to += 1;
  return to;
};

const settledParts = (
  parts: readonly Part[],
  rows: ReadonlyMap<string, Subject>,
  before: readonly { readonly payment_id: string; readonly settlement_id: string }[],
): readonly SettledPart[] => {
  const known = new Set(before.map((row) => keyOf(row.payment_id, row.settlement_id)));
  const versions = new Map<string, number>();
  const at = new Date();
  return parts.flatMap((part): readonly SettledPart[] => {
    const { paymentId, context: _context, ...facts } = part;
    const key = keyOf(paymentId, part.settlementId);
    if (known.has(key)) return [];
    known.add(key);
    const subject = rows.get(paymentId);
    if (!subject) throw new PoisonError(`${part.settlementId} has settled ${paymentId}, which is not here`);
    const version = (versions.get(paymentId) ?? subject.version) + 1;
    versions.set(paymentId, version);
    return [{ part, subject, version, event: { type: 'PaymentSettled', at, ...facts } }];
  });
};
