import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Principal } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { eventually, userPrincipal } from '@payflow/testing';

import { Books } from './books.js';
import { FINANCE, SettlementUnderTest, START_TIMEOUT_MS } from './settlement-under-test.js';

jest.setTimeout(400_000);

const SECOND: Principal = userPrincipal(newId('usr'), 'finance');
const ACQUIRER = '/acquirers/sim/settlement-reports';

let settlement: SettlementUnderTest;
let books: Books;
beforeAll(async () => {
  settlement = await SettlementUnderTest.start();
  books = new Books(settlement);
}, START_TIMEOUT_MS);
afterAll(async () => {
  await settlement.stop();
});

/** Of this source, by kind; those of other tests are left out by their references. */
const openOf = async (source: string): Promise<readonly string[]> =>
  (await books.exceptions({ source, status: 'OPEN' })).map(({ kind }) => String(kind)).toSorted();

describe('one difference of each kind', () => {
  const KINDS = ['amount', 'currency', 'duplicate', 'fee', 'missing_here', 'missing_there'];

  it('gives exactly those exceptions and no others, once; correcting them brings the books together', async () => {
    const receivableBefore = await settlement.ledgerBalance('psp:sim:receivable');
    const euroBefore = await settlement.ledgerBalance('psp:sim:receivable', 'EUR');
    const sales = [];
    for (let index = 0; index < 7; index += 1) sales.push(await books.sale(1_000 + index));
    const [dropped, amount, currency, fee, twice, unknown] = sales.map(({ captureId }) => captureId);
    await books.spoil(ACQUIRER, [
      { kind: 'drop_line', reference: dropped ?? '' },
      { kind: 'amount', reference: amount ?? '' },
      { kind: 'currency', reference: currency ?? '' },
      { kind: 'fee', reference: fee ?? '' },
      { kind: 'duplicate', reference: twice ?? '' },
      { kind: 'unknown_line', reference: unknown ?? '' },
    ]);
    const file = await books.file(ACQUIRER);
    const imported = await books.upload('acquirer:sim', file);
    expect(imported.status).toBe(201);
    const run = await books.ended(String(imported.body['runId']));
    expect(run).toMatchObject({ status: 'DONE', exceptionsOpened: 6 });
    const exceptions = await books.exceptions({ runId: String(run['runId']) });
    expect(exceptions.map(({ kind }) => String(kind)).toSorted()).toEqual(KINDS);
    const of = (kind: string) => exceptions.find((exception) => exception['kind'] === kind);
    expect(of('missing_there')).toMatchObject({ reference: dropped, expected: 1_000, actual: null, reportId: null });
    expect(of('amount')).toMatchObject({ reference: amount, expected: 1_001, actual: 1_002, type: 'capture' });
    expect(of('currency')).toMatchObject({ reference: currency, expectedCurrency: 'USD', currency: 'EUR' });
    expect(of('fee')).toMatchObject({ reference: fee, expected: 0, actual: 25 });
    expect(of('duplicate')).toMatchObject({ reference: twice, actual: 1_004 });
    expect(of('missing_here')).toMatchObject({ expected: null, actual: 1_005, paymentId: null, merchantId: null });
    expect(of('amount')).toMatchObject({ paymentId: sales[1]?.paymentId, merchantId: sales[1]?.merchantId });

    // The same file is the same report, and the run it had.
    const again = await books.upload('acquirer:sim', file);
    expect([again.status, again.body]).toEqual([200, imported.body]);
    expect(await openOf('acquirer:sim')).toEqual(KINDS);
    for (const exception of exceptions) {
      const told = await settlement.told(String(exception['exceptionId']));
      expect(told.map(({ payload }) => [String(payload['kind']), String(payload['status'])])).toEqual([
        [exception['kind'], 'OPEN'],
      ]);
    }

    for (const exception of exceptions) {
      const resolved = await books.correct(String(exception['exceptionId']), FINANCE, SECOND);
      expect(resolved).toMatchObject({ status: 'RESOLVED', resolvedBy: SECOND.id });
      expect(resolved['corrections']).toMatchObject([
        { status: 'POSTED', proposedBy: FINANCE.id, decidedBy: SECOND.id },
      ]);
      const told = await settlement.told(String(exception['exceptionId']));
      expect(told.map(({ payload }) => String(payload['status']))).toEqual(['OPEN', 'RESOLVED']);
    }
    expect(await openOf('acquirer:sim')).toEqual([]);

    // What the acquirer says it owes us is what our ledger says it owes us, in each currency.
    const totals = imported.body['totals'] as readonly { currency: string; amount: number; fee: number }[];
    const owed = (code: string) =>
      totals.filter(({ currency: own }) => own === code).reduce((sum, total) => sum + total.amount - total.fee, 0);
    await eventually(async () => {
      expect(-(await settlement.ledgerBalance('psp:sim:receivable'))).toBe(owed('USD'));
    });
    expect(-(await settlement.ledgerBalance('psp:sim:receivable', 'EUR'))).toBe(owed('EUR'));
    expect([receivableBefore, euroBefore]).toEqual([expect.any(Number), 0]);
    expect(await settlement.ledgerBalance('settlement:differences', 'EUR')).toBe(owed('EUR'));

    // The acquirer still says what it said, and our books say it too now.
    const lines = file.split('\r\n').map((line) => line.replaceAll(String(imported.body['theirId']), 'sr-restated'));
    const restated = await books.upload('acquirer:sim', lines.join('\r\n'));
    const second = await books.ended(String(restated.body['runId']));
    // The line that is there twice too: it is the duplicate that was corrected.
    expect(second).toMatchObject({ status: 'DONE', exceptionsOpened: 0 });
    expect(await openOf('acquirer:sim')).toEqual([]);
  });
});
