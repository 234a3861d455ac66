import { describe, expect, it } from '@jest/globals';
import type { PaymentEventPayload } from '@payflow/contracts';
import { AMOUNT_MINOR_MAX } from '@payflow/kernel';
import fc from 'fast-check';

import { type BalanceLine, lineOf, type PaymentFact } from './balance-line.js';
import { BATCH_TOTAL_MINOR_MAX, fittingLines } from './batch-bound.js';
import { netOf, totalsOf } from './batch-totals.js';
import { closeGroup, reserveOf } from './group-close.js';
import { packLines } from './line-events.js';

const subject = {
  paymentId: 'pay_1',
  merchantId: 'mer_1',
  userId: null,
  currency: 'USD',
  metadata: {},
  acquirer: 'sim',
};
const dispute = { ...subject, disputeId: 'dp_1', amount: 1_000, acquirerReference: 'D-1' };
const closed = (status: PaymentEventPayload<'disputeClosed'>['status']): PaymentFact => ({
  event: 'disputeClosed',
  payload: { ...dispute, status, feeReturned: status === 'WON' ? 1_500 : 0 },
});
const refundFailed = (reversed: boolean): PaymentFact => ({
  event: 'refundFailed',
  payload: { ...subject, refundId: 'ref_1', amount: 300, code: 'x', message: 'x', reversed },
});
const FACTS = {
  captured: {
    event: 'captured',
    payload: {
      ...subject,
      captureId: 'cap_1',
      amount: 1_000,
      fee: 30,
      released: 1_000,
      capturedTotal: 1_000,
      final: true,
      acquirerReference: 'C-1',
    },
  },
  refunded: {
    event: 'refunded',
    payload: { ...subject, refundId: 'ref_1', amount: 300, refundedTotal: 300, reason: null, acquirerReference: 'R-1' },
  },
  disputeOpened: {
    event: 'disputeOpened',
    payload: { ...dispute, fee: 1_500, reason: 'fraudulent', evidenceDueBy: '2026-12-01T00:00:00.000Z' },
  },
} as const satisfies Record<string, PaymentFact>;

describe('the line of an event', () => {
  it.each<[string, PaymentFact, Partial<BalanceLine> | undefined]>([
    ['a capture', FACTS.captured, { type: 'capture', grossMinor: 1_000n, feeMinor: 30n, reference: 'cap_1' }],
    ['a refund', FACTS.refunded, { type: 'refund', grossMinor: -300n, feeMinor: 0n, acquirerReference: 'R-1' }],
    ['a refund taken back', refundFailed(true), { type: 'refund_failure', grossMinor: 300n, feeMinor: 0n }],
    ['a refund that never was', refundFailed(false), undefined],
    ['a dispute', FACTS.disputeOpened, { type: 'dispute', grossMinor: -1_000n, feeMinor: 1_500n }],
    ['a dispute won', closed('WON'), { type: 'dispute_reversal', grossMinor: 1_000n, feeMinor: -1_500n }],
    ['a dispute lost', closed('LOST'), undefined],
    ['a dispute accepted', closed('ACCEPTED'), undefined],
  ])('of %s', (_, fact, line) => {
    if (line === undefined) expect(lineOf(fact)).toBeUndefined();
    else expect(lineOf(fact)).toMatchObject(line);
  });

  it('adds up to a batch, refunds and disputes as positive amounts', () => {
    const facts = [FACTS.captured, FACTS.refunded, refundFailed(true), FACTS.disputeOpened, closed('WON')];
    const totals = totalsOf(facts.flatMap((fact) => lineOf(fact) ?? []));
    expect(totals).toEqual({ lineCount: 5, grossMinor: 1_000n, refundsMinor: 0n, disputesMinor: 0n, feesMinor: 30n });
    expect(netOf(totals)).toBe(970n);
  });
});

describe('a batch', () => {
  const capture = (payment: number, grossMinor: bigint, feeMinor = 0n) =>
    ({ paymentId: `pay_${payment}`, type: 'capture', grossMinor, feeMinor }) as const;

  it('takes in what comes to its bound, and leaves the rest', () => {
    const lines = [capture(1, BATCH_TOTAL_MINOR_MAX - 1n), capture(2, 1n), capture(3, 1n)];
    expect(fittingLines(lines, undefined)).toEqual(lines.slice(0, 2));
    expect(fittingLines(lines, totalsOf([capture(0, 2n)]))).toEqual([]);
  });

  it('takes a payment in whole or not at all', () => {
    const lines = [capture(1, 1n), capture(2, 1n), capture(2, BATCH_TOTAL_MINOR_MAX)];
    expect(fittingLines(lines, undefined)).toEqual(lines.slice(0, 1));
  });

  it('whatever it takes in: its net is exact as a JSON number', () => {
    const types = fc.constantFrom('capture', 'refund', 'dispute', 'refund_failure', 'dispute_reversal');
    const amounts = fc.bigInt({ min: -AMOUNT_MINOR_MAX, max: AMOUNT_MINOR_MAX });
    fc.assert(
      fc.property(fc.array(fc.tuple(types, amounts, amounts), { maxLength: 200 }), (drawn) => {
        const lines = drawn.map(([type, grossMinor, feeMinor], index) => ({
          paymentId: `pay_${index}`,
          type,
          grossMinor,
          feeMinor,
        }));
        expect(Number.isSafeInteger(Number(netOf(totalsOf(fittingLines(lines, undefined)))))).toBe(true);
      }),
    );
  });
});

describe('the events of a batch', () => {
  const linesOf = (sizes: readonly number[]) =>
    sizes.flatMap((size, payment) =>
      Array.from({ length: size }, (_, line) => ({ paymentId: `pay_${payment}`, line })),
    );

  it('never tear a payment apart, keep the order, and are never too large', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 10 }), { maxLength: 60 }), (sizes) => {
        const lines = linesOf(sizes);
        const events = packLines(lines, 10);
        expect(events.flat()).toEqual(lines);
        for (const event of events) expect(event.length).toBeLessThanOrEqual(10);
        const homes = events.flatMap((event) => [...new Set(event.map(({ paymentId }) => paymentId))]);
        expect(new Set(homes).size).toBe(homes.length);
      }),
    );
  });
});

describe('the end of a run', () => {
  const rule = { basisPoints: 1_000, days: 7 };

  it.each<[string, bigint, bigint, bigint | null]>([
    ['pays out all of it', 970n, 1n, 970n],
    ['carries over what is below the minimum', 970n, 971n, null],
    ['pays the minimum itself', 970n, 970n, 970n],
    ['pays nothing of nothing', 0n, 1n, null],
    ['pays nothing of a debt', -30n, 1n, null],
    ['pays at once no more than a bank takes', AMOUNT_MINOR_MAX + 5n, 1n, AMOUNT_MINOR_MAX],
  ])('%s', (_, availableMinor, minimum, payoutMinor) => {
    expect(closeGroup({ availableMinor, batches: [] }, undefined, minimum)).toEqual({ reserves: [], payoutMinor });
  });

  it('keeps back its part, ties to even, and nothing of a batch that nets nothing', () => {
    expect([5n, 15n, 25n, 995n, 1_005n].map((net) => reserveOf(net, rule))).toEqual([0n, 2n, 2n, 100n, 100n]);
    expect(reserveOf(-500n, rule)).toBe(0n);
    expect(closeGroup({ availableMinor: 1_000n, batches: [{ id: 'set_1', netMinor: 1_000n }] }, rule, 1n)).toEqual({
      reserves: [{ settlementId: 'set_1', amountMinor: 100n }],
      payoutMinor: 900n,
    });
  });

  it('whatever a merchant has: what is kept back and what is paid out is never more', () => {
    const nets = fc.array(fc.bigInt({ min: -100_000n, max: 100_000n }), { maxLength: 5 });
    fc.assert(
      fc.property(
        fc.bigInt({ min: -100_000n, max: 1_000_000n }),
        nets,
        fc.integer({ min: 0, max: 10_000 }),
        (availableMinor, own, basisPoints) => {
          const batches = own.map((netMinor, index) => ({ id: `set_${index}`, netMinor }));
          const { reserves, payoutMinor } = closeGroup({ availableMinor, batches }, { basisPoints, days: 1 }, 1n);
          const gone = reserves.reduce((sum, { amountMinor }) => sum + amountMinor, payoutMinor ?? 0n);
          expect(gone).toBe(availableMinor > 0n ? availableMinor : 0n);
          for (const { amountMinor } of reserves) expect(amountMinor).toBeGreaterThan(0n);
        },
      ),
    );
  });
});
