import { describe, expect, it } from '@jest/globals';

import type { AttemptFact, BookFact, Facts } from './facts.js';
import type { Operation, Told } from './operation.js';
import { judge, linesOf } from './verdict.js';

const done = (body: Readonly<Record<string, unknown>>, status = 200): Told => ({ kind: 'done', status, body });
const SILENCE: Told = { kind: 'silence' };
const REFUSED_BY_ACQUIRER: Told = { kind: 'refused', status: 200, code: 'refund_failed' };
const REFUSED: Told = { kind: 'refused', status: 409, code: 'payment_not_capturable' };

const operation = (fields: Partial<Operation>): Operation => ({
  operationId: 'order-1',
  kind: 'sale',
  merchantId: 'mer_1',
  key: 'key-1',
  amount: 1000,
  paymentId: null,
  told: done({ paymentId: 'pay_1', status: 'CAPTURED' }, 201),
  tries: 1,
  contradiction: null,
  ...fields,
});
const sale = operation({});
const refund = (told: Told): Operation =>
  operation({ operationId: 'refund-1', kind: 'refund', paymentId: 'pay_1', amount: 400, told });

const attempt = (attemptId: string, kind: string, amount = 1000): AttemptFact => ({
  attemptId,
  paymentId: 'pay_1',
  operation: kind,
  amount,
  state: 'approved',
  unwanted: false,
});
const line = ({ attemptId: reference, paymentId, operation: kind, amount }: AttemptFact): BookFact => ({
  reference,
  paymentId,
  operation: kind,
  approved: true,
  amount,
});
const authorized = attempt('att_1', 'authorize');
const captured = attempt('cap_1', 'capture');
const refunded = attempt('ref_1', 'refund', 400);

const payment = {
  paymentId: 'pay_1',
  merchantId: 'mer_1',
  reference: 'order-1',
  status: 'CAPTURED',
  capturedMinor: 1000,
  refundedMinor: 0,
};
const captureEntry = { paymentId: 'pay_1', type: 'CAPTURE', entries: 1, amount: 1000 };
const refundEntry = { paymentId: 'pay_1', type: 'REFUND', entries: 1, amount: 400 };

const sound: Facts = {
  payments: [payment],
  attempts: [authorized, captured],
  book: [line(authorized), line(captured)],
  ledger: [captureEntry],
  exceptions: [],
};
const soundWithRefund: Facts = {
  payments: [{ ...payment, refundedMinor: 400 }],
  attempts: [authorized, captured, refunded],
  book: [line(authorized), line(captured), line(refunded)],
  ledger: [captureEntry, refundEntry],
  exceptions: [],
};

const verdict = (operations: readonly Operation[], facts: Facts): readonly string[] =>
  linesOf(judge(operations, facts)).map((text) => text.split(':')[0] ?? '');

describe('a verdict without findings', () => {
  it.each<[string, readonly Operation[], Facts]>([
    ['a sale that was answered and is there', [sale], sound],
    ['a sale that was not answered and is there', [operation({ told: SILENCE })], sound],
    [
      'a sale that was not answered and is not there',
      [operation({ told: SILENCE })],
      { payments: [], attempts: [], book: [], ledger: [], exceptions: [] },
    ],
    ['a refund that was answered and is there', [sale, refund(done({}))], soundWithRefund],
    ['a refund that was not answered and is there', [sale, refund(SILENCE)], soundWithRefund],
    ['a refund that was not answered and is not there', [sale, refund(SILENCE)], sound],
    ['a refund that was refused and is not there', [sale, refund(REFUSED)], sound],
    ['a refund that the acquirer refused and did after all', [sale, refund(REFUSED_BY_ACQUIRER)], soundWithRefund],
  ])('%s', (_name, operations, facts) => {
    expect(linesOf(judge(operations, facts))).toEqual([]);
  });
});

describe('a verdict', () => {
  it.each<[string, string, readonly Operation[], Facts]>([
    [
      'a payment that was answered and is not there',
      'lost',
      [sale],
      { ...sound, payments: [], attempts: [], book: [] },
    ],
    [
      'a capture of a sale that was answered and did not happen',
      'lost',
      [sale],
      {
        ...sound,
        payments: [{ ...payment, capturedMinor: 0 }],
        attempts: [authorized],
        book: [line(authorized)],
        ledger: [],
      },
    ],
    ['a refund that was answered and did not happen', 'lost', [sale, refund(done({}))], sound],
    [
      'two payments of one request',
      'doubled',
      [sale],
      {
        ...sound,
        payments: [payment, { ...payment, paymentId: 'pay_2', capturedMinor: 0 }],
      },
    ],
    [
      'two refunds of one request',
      'doubled',
      [sale, refund(SILENCE)],
      {
        payments: [{ ...payment, refundedMinor: 800 }],
        attempts: [...soundWithRefund.attempts, attempt('ref_2', 'refund', 400)],
        book: [...soundWithRefund.book, line(attempt('ref_2', 'refund', 400))],
        ledger: [captureEntry, { ...refundEntry, entries: 2, amount: 800 }],
        exceptions: [],
      },
    ],
    [
      'two authorizations of one payment at the acquirer',
      'doubled',
      [sale],
      {
        ...sound,
        attempts: [...sound.attempts, attempt('att_2', 'authorize')],
        book: [...sound.book, line(attempt('att_2', 'authorize'))],
      },
    ],
    ['a payment that nobody asked for', 'unasked', [], sound],
    ['a refund that nobody asked for', 'unasked', [sale], soundWithRefund],
    ['a refund that was refused and happened', 'unasked', [sale, refund(REFUSED)], soundWithRefund],
    [
      'a capture that the acquirer did and PayFlow says it did not',
      'apart',
      [operation({ told: SILENCE })],
      {
        ...sound,
        payments: [{ ...payment, capturedMinor: 0 }],
        attempts: [authorized, { ...captured, state: 'no' }],
        ledger: [],
      },
    ],
    ['a capture that the acquirer has not done', 'apart', [sale], { ...sound, book: [line(authorized)] }],
    [
      'another amount at the acquirer',
      'apart',
      [sale],
      { ...sound, book: [line(authorized), { ...line(captured), amount: 999 }] },
    ],
    [
      'an order in the acquirer’s book that PayFlow does not know',
      'apart',
      [sale],
      {
        ...sound,
        book: [...sound.book, line(attempt('cap_9', 'capture'))],
      },
    ],
    ['a capture that the ledger lacks', 'apart', [sale], { ...sound, ledger: [] }],
    [
      'a capture that the ledger has twice',
      'apart',
      [sale],
      { ...sound, ledger: [{ ...captureEntry, entries: 2, amount: 2000 }] },
    ],
    [
      'a contradiction that PayFlow has seen itself',
      'apart',
      [sale],
      { ...sound, exceptions: [{ paymentId: 'pay_1', operationId: 'cap_1', kind: 'contradiction' }] },
    ],
    ['two answers to one key', 'apart', [operation({ contradiction: 'first 201, then 409' })], sound],
  ])('finds %s', (_name, kind, operations, facts) => {
    expect(verdict(operations, facts)).toContain(kind);
  });
});
