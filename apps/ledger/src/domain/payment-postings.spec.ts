import { type Currency } from '@payflow/kernel';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { ledgerBalanceOf } from './payment-lines.js';
import { type PaymentFact, postingsOf } from './payment-postings.js';
import type { Posting } from './journal.js';

const subject = { paymentId: 'pay_1', merchantId: 'mer_1', userId: null, currency: 'USD', metadata: {} };
const paymentMethod = { type: 'card' };
const authorized = (amount: number): PaymentFact => ({
  event: 'authorized',
  payload: {
    ...subject,
    amount,
    acquirer: 'sim',
    acquirerReference: 'A1',
    attemptId: 'att_1',
    expiresAt: '2026-12-01T00:00:00Z',
    paymentMethod,
  },
});
const captured = (amount: number, fee: number, released: number): PaymentFact => ({
  event: 'captured',
  payload: {
    ...subject,
    captureId: 'cap_1',
    amount,
    fee,
    released,
    capturedTotal: amount,
    final: true,
    acquirer: 'sim',
    acquirerReference: 'C1',
  },
});
const refunded = (amount: number): PaymentFact => ({
  event: 'refunded',
  payload: {
    ...subject,
    refundId: 'ref_1',
    amount,
    refundedTotal: amount,
    reason: null,
    acquirer: 'sim',
    acquirerReference: 'R1',
  },
});
const canceled = (released: number, acquirer: string | null = 'sim'): PaymentFact => ({
  event: 'canceled',
  payload: { ...subject, released, acquirer, reason: null },
});

const line = ({ entryType, from, to, amountMinor }: Posting): string => `${entryType} ${from} → ${to} ${amountMinor}`;

describe('what an event posts', () => {
  it.each<readonly [string, PaymentFact, readonly string[]]>([
    ['created', { event: 'created', payload: { ...subject, amount: 1000, reference: null } }, []],
    ['authorized', authorized(1000), ['AUTH memo:psp:sim:authorized → memo:merchant:mer_1:authorized 1000']],
    [
      'captured',
      captured(600, 47, 1000),
      [
        'CAPTURE psp:sim:receivable → merchant:mer_1:payable 600',
        'FEE merchant:mer_1:payable → fees:revenue 47',
        'AUTH_RELEASE memo:merchant:mer_1:authorized → memo:psp:sim:authorized 1000',
      ],
    ],
    [
      'captured without a fee or a hold',
      captured(600, 0, 0),
      ['CAPTURE psp:sim:receivable → merchant:mer_1:payable 600'],
    ],
    ['refunded', refunded(200), ['REFUND merchant:mer_1:payable → psp:sim:receivable 200']],
    ['canceled', canceled(1000), ['AUTH_RELEASE memo:merchant:mer_1:authorized → memo:psp:sim:authorized 1000']],
    ['canceled before it was authorized', canceled(0, null), []],
    [
      'failed',
      {
        event: 'failed',
        payload: {
          ...subject,
          amount: 1000,
          acquirer: 'sim',
          attemptId: 'att_1',
          code: 'card_declined',
          declineCode: null,
          message: '',
        },
      },
      [],
    ],
    [
      'refund failed',
      {
        event: 'refundFailed',
        payload: { ...subject, refundId: 'ref_1', amount: 5, acquirer: 'sim', code: 'x', message: '', reversed: false },
      },
      [],
    ],
    [
      'refund failed after it had succeeded',
      {
        event: 'refundFailed',
        payload: { ...subject, refundId: 'ref_1', amount: 5, acquirer: 'sim', code: 'x', message: '', reversed: true },
      },
      ['REFUND_REVERSAL psp:sim:receivable → merchant:mer_1:payable 5'],
    ],
    [
      'expired',
      { event: 'expired', payload: { ...subject, released: 700, acquirer: 'sim' } },
      ['AUTH_RELEASE memo:merchant:mer_1:authorized → memo:psp:sim:authorized 700'],
    ],
  ])('%s', (_, fact, lines) => {
    expect(postingsOf(fact).postings.map(line)).toEqual(lines);
  });

  it("carries the acquirer's reference", () => {
    expect([authorized(1), captured(1, 0, 1), refunded(1)].map((fact) => postingsOf(fact).acquirerReference)).toEqual([
      'A1',
      'C1',
      'R1',
    ]);
  });
});

describe('over the life of a payment', () => {
  it('the hold ends at zero, and the ledger balance is captured less refunded', () => {
    const life = fc
      .tuple(fc.integer({ min: 1, max: 1_000_000 }), fc.array(fc.nat(100), { maxLength: 5 }), fc.nat(100))
      .map(([amount, shares, refundShare]) => ({ amount, shares, refundShare }));
    fc.assert(
      fc.property(life, ({ amount, shares, refundShare }) => {
        let left = amount;
        const captures = shares.flatMap((share) => {
          const part = Math.floor((left * share) / 100);
          left -= part;
          return part === 0 ? [] : [captured(part, Math.floor(part / 40), part)];
        });
        const total = amount - left;
        const refund = Math.floor((total * refundShare) / 100);
        const facts = [authorized(amount), ...captures, canceled(left), ...(refund === 0 ? [] : [refunded(refund)])];
        const postings = facts.flatMap((fact) => postingsOf(fact).postings);
        const balances = new Map<string, bigint>();
        for (const { from, to, amountMinor } of postings) {
          balances.set(from, (balances.get(from) ?? 0n) - amountMinor);
          balances.set(to, (balances.get(to) ?? 0n) + amountMinor);
        }
        expect(balances.get('memo:merchant:mer_1:authorized')).toBe(0n);
        expect(balances.get('memo:psp:sim:authorized')).toBe(0n);
        const lines = postings.map(({ entryType, amountMinor }) => ({ type: entryType, amountMinor }));
        expect(ledgerBalanceOf(lines)).toBe(BigInt(total - refund));
        expect(-(balances.get('psp:sim:receivable') ?? 0n)).toBe(BigInt(total - refund));
      }),
    );
  });

  it('every posting is of a positive amount in the currency of the payment', () => {
    const currency = 'USD' as Currency;
    for (const fact of [authorized(1), captured(1, 0, 0), refunded(1), canceled(1)]) {
      for (const posting of postingsOf(fact).postings) expect(posting).toMatchObject({ currency, amountMinor: 1n });
    }
  });
});
