import { describe, expect, it } from '@jest/globals';
import type { DisputeStatus } from '@payflow/contracts';
import type { DisputeId } from '@payflow/kernel';

import { captured as capturedPayment, given } from '../../test/histories.js';
import type { DisputeWord, RecordDispute } from './commands.js';
import { chargedBackMinor, disputedMinor, disputeFeeMinor } from './dispute.js';
import type { PaymentEvent } from './events.js';
import { evolve } from './evolve.js';
import { exceptionsOf } from './exceptions.js';
import { violatedInvariants } from './invariants.js';
import { capturedMinor, type Payment, refundableMinor, statusOf } from './payment.js';
import { recordDispute } from './record-dispute.js';
import { refund } from './refund.js';
import { respondToDispute } from './respond-to-dispute.js';

const DISPUTE = 'dp_01kxyz6w3hf8btq2v9m4n7r5sd' as DisputeId;
const AT = new Date('2026-11-21T12:00:00Z');
const DUE = new Date('2026-11-28T12:00:00Z');

const word = (over: Partial<DisputeWord> = {}): DisputeWord => ({
  acquirerReference: 'sim-dispute_1',
  status: 'NEEDS_RESPONSE',
  amountMinor: 400n,
  reason: 'fraudulent',
  evidenceDueBy: DUE,
  ...over,
});
const command = (over: Partial<DisputeWord> = {}, settings: Partial<RecordDispute> = {}): RecordDispute => ({
  at: AT,
  acquirer: 'sim',
  word: word(over),
  disputeId: DISPUTE,
  feeMinor: 1500n,
  feeReturnedWhenWon: false,
  ...settings,
});

/** A captured payment of 1000. */
const captured = (): Payment => given(...capturedPayment(1000n));
const told = (payment: Payment, ...statuses: readonly DisputeStatus[]): Payment =>
  statuses.reduce((state, status) => {
    const decision = recordDispute(state, command({ status }));
    if (!decision.ok) throw new Error(`given: ${decision.refusal.code}`);
    return decision.events.reduce(evolve, state);
  }, payment);
const respond = (payment: Payment, over: object = {}) =>
  respondToDispute(payment, { at: AT, disputeId: DISPUTE, response: 'evidence', hasEvidence: true, ...over });
const types = (events: readonly PaymentEvent[]): readonly string[] => events.map(({ type }) => type);

describe("the acquirer's word on a dispute", () => {
  it.each([
    ['NEEDS_RESPONSE', ['DisputeOpened']],
    ['UNDER_REVIEW', ['DisputeOpened', 'DisputeEvidenceSubmitted']],
    ['LOST', ['DisputeOpened', 'DisputeClosed']],
    ['WON', ['DisputeOpened', 'DisputeClosed']],
  ] as const)('that is first heard of as %s is told from its beginning', (status, expected) => {
    expect(recordDispute(captured(), command({ status }))).toMatchObject({ ok: true });
    const decision = recordDispute(captured(), command({ status }));
    expect(decision.ok && types(decision.events)).toEqual(expected);
  });

  it.each([
    [['NEEDS_RESPONSE'], 'NEEDS_RESPONSE'],
    [['NEEDS_RESPONSE', 'UNDER_REVIEW'], 'NEEDS_RESPONSE'],
    [['NEEDS_RESPONSE', 'UNDER_REVIEW'], 'UNDER_REVIEW'],
    [['NEEDS_RESPONSE', 'LOST'], 'NEEDS_RESPONSE'],
    [['NEEDS_RESPONSE', 'LOST'], 'UNDER_REVIEW'],
    [['NEEDS_RESPONSE', 'LOST'], 'LOST'],
  ] as const)('after %j says nothing new with %s', (before, again) => {
    expect(recordDispute(told(captured(), ...before), command({ status: again }))).toEqual({ ok: true, events: [] });
  });

  it.each([
    [{ status: 'WON' }, 'another end'],
    [{ status: 'LOST', amountMinor: 399n }, 'another amount'],
  ] as const)('that tells %j of a lost dispute is %s, which is for people', (over, _what) => {
    const decision = recordDispute(told(captured(), 'LOST'), command(over));
    expect(decision).toMatchObject({ ok: false, refusal: { code: 'dispute_contradicts_record', recorded: 'LOST' } });
  });

  it.each([
    [false, 0n, 1500n],
    [true, 1500n, 0n],
  ])('of a won one gives the amount back, and the fee if so set (%s)', (feeReturnedWhenWon, returned, paid) => {
    const open = told(captured(), 'NEEDS_RESPONSE');
    const decision = recordDispute(open, command({ status: 'WON' }, { feeReturnedWhenWon }));
    expect(decision).toMatchObject({ ok: true, events: [{ outcome: 'WON', feeReturnedMinor: returned }] });
    const won = decision.ok ? decision.events.reduce(evolve, open) : open;
    expect([chargedBackMinor(won.disputes), disputeFeeMinor(won.disputes)]).toEqual([0n, paid]);
  });
});

describe('a disputed payment', () => {
  it.each([
    ['NEEDS_RESPONSE', 400n, 400n, 600n],
    ['UNDER_REVIEW', 400n, 400n, 600n],
    ['LOST', 0n, 400n, 600n],
    ['ACCEPTED', 0n, 400n, 600n],
    ['EXPIRED', 0n, 400n, 600n],
    ['WON', 0n, 0n, 1000n],
  ] as const)(
    'that is %s has %d in dispute, %d charged back and %d to refund',
    (status, disputed, back, refundable) => {
      const payment = told(captured(), 'NEEDS_RESPONSE', status);
      expect([disputedMinor(payment.disputes), chargedBackMinor(payment.disputes), refundableMinor(payment)]).toEqual([
        disputed,
        back,
        refundable,
      ]);
      expect(statusOf(payment)).toBe('CAPTURED');
      expect(violatedInvariants(payment)).toEqual([]);
    },
  );

  it('refuses a refund of what the payer has already', () => {
    const payment = told(captured(), 'NEEDS_RESPONSE');
    const order = { at: AT, refundId: 'ref_1' as never, reason: null, metadata: {} };
    expect(refund(payment, { ...order, amountMinor: 601n })).toMatchObject({
      ok: false,
      refusal: { code: 'refund_exceeds_captured', refundableMinor: 600n },
    });
    expect(refund(payment, { ...order, amountMinor: 600n })).toMatchObject({ ok: true });
  });

  it('takes a chargeback that meets a refund under way as the fact that it is, and people hear of the excess', () => {
    const order = { at: AT, refundId: 'ref_1' as never, reason: null, metadata: {}, amountMinor: 1000n };
    const ordered = refund(captured(), order);
    const refunding = ordered.ok ? ordered.events.reduce(evolve, captured()) : captured();
    const disputed = told(refunding, 'NEEDS_RESPONSE');
    expect(refundableMinor(disputed)).toBe(0n);
    const succeeded: PaymentEvent = {
      type: 'RefundSucceeded',
      at: AT,
      refundId: order.refundId,
      amountMinor: 1000n,
      acquirerReference: 'r1',
    };
    const after = evolve(disputed, succeeded);
    expect(exceptionsOf(succeeded, after)).toEqual([
      { operationId: 'ref_1', kind: 'overdrawn', detail: { captured: 1000, refunded: 1000, chargedBack: 400 } },
    ]);
    expect(capturedMinor(after)).toBe(1000n);
    expect(violatedInvariants(after)).toEqual([]);
  });

  it('leaves nothing for people while it has enough', () => {
    const decision = recordDispute(captured(), command({ amountMinor: 1000n }));
    const [opened] = decision.ok ? decision.events : [];
    if (!opened) throw new Error('given: it is opened');
    expect(exceptionsOf(opened, evolve(captured(), opened))).toEqual([]);
  });
});

describe("the merchant's answer to a dispute", () => {
  it('is ordered once, before the deadline, with something to say', () => {
    const open = told(captured(), 'NEEDS_RESPONSE');
    const decision = respond(open);
    expect(decision).toMatchObject({ ok: true, events: [{ type: 'DisputeResponseOrdered', response: 'evidence' }] });
    const answered = decision.ok ? decision.events.reduce(evolve, open) : open;
    expect(answered.disputes[0]).toMatchObject({ status: 'NEEDS_RESPONSE', response: 'evidence' });
    expect(respond(answered)).toMatchObject({ ok: false, refusal: { code: 'dispute_not_open' } });
    expect(respond(answered, { response: 'accept' })).toMatchObject({ ok: false });
  });

  it.each([
    ['a dispute of another payment', { disputeId: 'dp_other' }, 'dispute_unknown'],
    ['a deadline that is over', { at: DUE }, 'dispute_not_open'],
    ['no evidence', { hasEvidence: false }, 'dispute_evidence_missing'],
  ])('is refused with %s', (_why, over, code) => {
    expect(respond(told(captured(), 'NEEDS_RESPONSE'), over)).toMatchObject({ ok: false, refusal: { code } });
  });

  it.each(['UNDER_REVIEW', 'WON', 'LOST', 'ACCEPTED', 'EXPIRED'] as const)('is refused once it is %s', (status) => {
    expect(respond(told(captured(), 'NEEDS_RESPONSE', status), { response: 'accept' })).toMatchObject({
      ok: false,
      refusal: { code: 'dispute_not_open', status },
    });
  });

  it('to accept needs no evidence', () => {
    expect(respond(told(captured(), 'NEEDS_RESPONSE'), { response: 'accept', hasEvidence: false })).toMatchObject({
      ok: true,
    });
  });
});
