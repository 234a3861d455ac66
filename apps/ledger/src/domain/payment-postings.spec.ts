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

const settled = (gross: number, acquirer = 'sim'): PaymentFact => ({
  event: 'settled',
  payload: {
    ...subject,
    settlementId: 'set_1',
    acquirer,
    bank: 'sim',
    gross,
    fee: 47,
    net: gross - 47,
    balanceTransactionIds: ['bt_1'],
  },
});
const dispute = (amount: number) => ({
  ...subject,
  disputeId: 'dp_1',
  amount,
  acquirer: 'sim',
  acquirerReference: 'sim-dispute_1',
});
const disputeOpened = (amount: number, fee: number): PaymentFact => ({
  event: 'disputeOpened',
  payload: { ...dispute(amount), fee, reason: 'fraudulent', evidenceDueBy: '2026-12-01T00:00:00Z' },
});
const disputeClosed = (status: 'WON' | 'LOST' | 'ACCEPTED' | 'EXPIRED', feeReturned: number): PaymentFact => ({
  event: 'disputeClosed',
  payload: { ...dispute(400), status, feeReturned },
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
    [
      'in review',
      {
        event: 'inReview',
        payload: { ...subject, amount: 1000, decisionId: 'fd_1', reviewId: 'frv_1', decideBy: '2026-12-01T00:00:00Z' },
      },
      [],
    ],
    ['settled', settled(600), ['SETTLEMENT bank:sim:cash → psp:sim:receivable 600']],
    ['settled with more refunds than captures', settled(-200), ['SETTLEMENT psp:sim:receivable → bank:sim:cash 200']],
    ['settled with as much refunded as captured', settled(0), []],
    ['settled of a wallet, whose money is here', settled(600, 'wallet'), []],
    [
      'dispute opened',
      disputeOpened(400, 1500),
      [
        'CHARGEBACK merchant:mer_1:payable → psp:sim:receivable 400',
        'CHARGEBACK_FEE merchant:mer_1:payable → fees:revenue 1500',
      ],
    ],
    [
      'dispute opened without a fee',
      disputeOpened(400, 0),
      ['CHARGEBACK merchant:mer_1:payable → psp:sim:receivable 400'],
    ],
    ['dispute updated', { event: 'disputeUpdated', payload: { ...dispute(400), status: 'UNDER_REVIEW' } }, []],
    ['dispute won', disputeClosed('WON', 0), ['CHARGEBACK_REVERSAL psp:sim:receivable → merchant:mer_1:payable 400']],
    [
      'dispute won, and its fee returned',
      disputeClosed('WON', 1500),
      [
        'CHARGEBACK_REVERSAL psp:sim:receivable → merchant:mer_1:payable 400',
        'CHARGEBACK_FEE_REVERSAL fees:revenue → merchant:mer_1:payable 1500',
      ],
    ],
    ['dispute lost', disputeClosed('LOST', 0), []],
    ['dispute accepted', disputeClosed('ACCEPTED', 0), []],
    ['dispute expired', disputeClosed('EXPIRED', 0), []],
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

  it.each([
    ['open', [], 600n, 600n],
    ['lost', [disputeClosed('LOST', 0)], 600n, 600n],
    ['won', [disputeClosed('WON', 0)], 1000n, 1000n],
  ] as const)(
    'a dispute that is %s takes its amount from the balance until it is won',
    (_, rest, balance, receivable) => {
      const facts = [captured(1000, 0, 0), disputeOpened(400, 1500), ...rest];
      const postings = facts.flatMap((fact) => postingsOf(fact).postings);
      const lines = postings.map(({ entryType, amountMinor }) => ({ type: entryType, amountMinor }));
      expect(ledgerBalanceOf(lines)).toBe(balance);
      const ofAcquirer = postings.reduce(
        (sum, { from, to, amountMinor }) =>
          sum + (from === 'psp:sim:receivable' ? amountMinor : 0n) - (to === 'psp:sim:receivable' ? amountMinor : 0n),
        0n,
      );
      expect(ofAcquirer).toBe(receivable);
    },
  );

  it('a settlement moves what is there and leaves the balance of the payment', () => {
    const postings = [captured(1000, 47, 0), settled(1000)].flatMap((fact) => postingsOf(fact).postings);
    const lines = postings.map(({ entryType, amountMinor }) => ({ type: entryType, amountMinor }));
    expect(ledgerBalanceOf(lines)).toBe(1000n);
  });

  it('every posting is of a positive amount in the currency of the payment', () => {
    const currency = 'USD' as Currency;
    for (const fact of [authorized(1), captured(1, 0, 0), refunded(1), canceled(1)]) {
      for (const posting of postingsOf(fact).postings) expect(posting).toMatchObject({ currency, amountMinor: 1n });
    }
  });
});
