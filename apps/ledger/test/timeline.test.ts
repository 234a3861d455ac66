import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { timelinePartSchema } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { servicePrincipal } from '@payflow/testing';

import { ADMIN, LedgerUnderTest } from './ledger-under-test.js';

let ledger: LedgerUnderTest;
beforeAll(async () => {
  ledger = await LedgerUnderTest.start();
});
afterAll(async () => {
  await ledger.stop();
});

const SERVICE = servicePrincipal('payment');

it("a payment's part of the timeline is everything that was posted about it, with its amounts", async () => {
  const [paymentId, merchantId] = [newId('pay'), newId('mer')];
  const [owed, receivable] = [`merchant:${merchantId}:payable`, 'psp:sim:receivable'];
  const posted = await ledger.post(
    '/internal/ledger/postings',
    {
      postings: [
        {
          reference: `test:${paymentId}`,
          type: 'CAPTURE',
          postings: [{ from: receivable, to: owed, amount: 700, currency: 'USD' }],
          accounts: [owed, receivable].map((code) => ({ code, currency: 'USD', floor: null })),
          metadata: {},
          paymentId,
          merchantId,
        },
      ],
    },
    { as: SERVICE },
  );
  expect(posted.status).toBe(200);
  const [{ transactionId }] = posted.body['results'] as readonly [{ transactionId: string }];
  const part = await ledger.get(`/internal/timeline/${paymentId}`, SERVICE);
  expect(timelinePartSchema.parse(part.body)).toMatchObject({
    items: [{ kind: 'ledger_transaction', id: transactionId, summary: 'CAPTURE 700 USD', causedBy: SERVICE.id }],
    truncated: false,
  });
  expect((await ledger.get(`/internal/timeline/${newId('pay')}`, SERVICE)).body).toEqual({
    items: [],
    truncated: false,
  });
  expect((await ledger.get(`/internal/timeline/${paymentId}`, ADMIN)).status).toBe(403);
});
