import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RemoteProblem, ServiceUnavailableError } from '@payflow/clients';
import { WALLET_MERCHANT_ID } from '@payflow/contracts';
import { AMOUNT_MINOR_MAX, newId } from '@payflow/kernel';

import { PaymentsClient } from '../src/clients/payments-client.js';
import { MoneyUnderTest } from './money-under-test.js';

jest.setTimeout(120_000);

let money: MoneyUnderTest;
beforeAll(async () => {
  money = await MoneyUnderTest.start();
});
afterEach(() => {
  money.payments.course = 'captured';
});
afterAll(async () => {
  await money.stop();
});

const personWithWallet = async () => {
  const person = await money.wallets.person();
  return { person, walletId: await money.wallets.wallet(person) };
};

describe('POST /wallet/add', () => {
  it('pays to the merchant of the wallets for the owner, and takes it to the wallet', async () => {
    const { person, walletId } = await personWithWallet();
    const key = newId('req');
    const answer = await money.add(person, 2500, key);
    expect([answer.status, answer.body]).toMatchObject([201, { type: 'ADD', status: 'SUCCESS', balanceAfter: 2500 }]);
    const transactionId = String(answer.body['transactionId']);
    expect(money.payments.of(transactionId)).toMatchObject({
      merchantId: WALLET_MERCHANT_ID,
      userId: person.id,
      reference: transactionId,
      amount: 2500,
    });
    expect((await money.add(person, 2500, key)).status).toBe(422); // Another token is another request.
    expect(await money.wallets.available(walletId)).toBe(2500);
    expect(await money.told(transactionId)).toEqual(['PENDING', 'SUCCESS']);
  });

  it('that is declined has failed for the reason of the card', async () => {
    const { person, walletId } = await personWithWallet();
    money.payments.course = 'declined';
    const answer = await money.add(person, 2500);
    expect([answer.status, answer.body]).toMatchObject([201, { status: 'FAILED', reason: 'insufficient_funds' }]);
    expect(await money.wallets.available(walletId)).toBe(0);
    expect(await money.told(answer.body['transactionId'])).toEqual(['PENDING', 'FAILED']);
  });

  it('that payment refuses is answered as payment refused it, and stays in the history', async () => {
    const { person } = await personWithWallet();
    money.payments.course = 'refused';
    const answer = await money.add(person, 2500);
    expect([answer.status, answer.body]).toMatchObject([422, { code: 'token_unusable' }]);
    expect(await money.ended(person, 'ADD')).toMatchObject({
      transactionId: answer.body['transactionId'],
      status: 'FAILED',
      reason: 'token_unusable',
    });
  });

  it('that was paid and not answered is not told as failed when its repetition is refused', async () => {
    const { person, walletId } = await personWithWallet();
    const payments = money.wallets.app().get(PaymentsClient);
    const sell = payments.sell.bind(payments);
    const code = 'token_unusable' as const;
    const docUrl = `http://gateway.test/docs/problems/${code}`;
    payments.sell = async (transactionId, sale) => {
      await sell(transactionId, sale);
      payments.sell = () =>
        Promise.reject(
          new RemoteProblem('payment', { type: docUrl, title: 'No', status: 422, code, requestId: 'r', docUrl }, {}),
        );
      throw new ServiceUnavailableError('payment', true, 'no answer');
    };
    try {
      expect((await money.add(person, 2500)).body['status']).toBe('PENDING');
      expect(await money.ended(person, 'ADD')).toMatchObject({ status: 'SUCCESS', credit: 2500 });
    } finally {
      payments.sell = sell;
    }
    expect(await money.wallets.available(walletId)).toBe(2500);
  });

  it.each(['silent_with_effect', 'silent_without', 'processing'] as const)(
    'whose payment is %s ends SUCCESS, by one payment',
    async (course) => {
      const { person, walletId } = await personWithWallet();
      money.payments.course = course;
      const answer = await money.add(person, 2500);
      // A connection that is cut is tried once more at once, under the same key.
      if (course !== 'silent_with_effect') expect([answer.status, answer.body['status']]).toEqual([202, 'PENDING']);
      money.payments.course = 'captured';
      const payment = money.payments.of(answer.body['transactionId']);
      if (payment !== undefined) payment.status = 'CAPTURED';
      expect(await money.ended(person, 'ADD')).toMatchObject({ status: 'SUCCESS' });
      expect(await money.wallets.available(walletId)).toBe(2500);
      expect(money.payments.of(answer.body['transactionId'])).toBeDefined();
    },
  );

  it('that the wallet cannot take is refunded', async () => {
    const { person, walletId } = await personWithWallet();
    const most = Number(AMOUNT_MINOR_MAX);
    const full = Math.floor(Number.MAX_SAFE_INTEGER / most);
    for (let time = 0; time < full; time += 1) await money.wallets.fund(walletId, most);
    const { body } = await money.add(person, most);
    expect(body).toMatchObject({ status: 'FAILED', reason: 'balance_out_of_range' });
    expect([...money.payments.refunds.values()]).toContain(body['paymentId']);
    expect(await money.wallets.available(walletId)).toBe(full * most);
  });

  it('that is too old to be paid is looked for, and given up only when it was never made', async () => {
    const { person, walletId } = await personWithWallet();
    money.payments.course = 'silent_without';
    const { body } = await money.add(person, 2500);
    await money.wallets.database.execute(
      `UPDATE wallet_transactions SET created_at = created_at - interval '1 day' WHERE id = $1`,
      [body['transactionId']],
    );
    money.payments.course = 'captured';
    expect(await money.ended(person, 'ADD')).toMatchObject({ status: 'FAILED', reason: 'payment_not_made' });
    expect(money.payments.of(body['transactionId'])).toBeUndefined();
    expect(await money.wallets.available(walletId)).toBe(0);
  });

  it.each([
    { amount: 0 },
    { amount: -1 },
    { amount: 1.5 },
    { amount: '10.00' },
    { currency: 'usd' },
    { paymentMethod: { type: 'wallet', walletId: 'wal_1' } },
    { walletId: 'somebody' },
  ])('with %j is refused', async (over) => {
    const { person } = await personWithWallet();
    const body = { ...money.addition(100), ...over };
    expect((await money.wallets.post('/wallet/add', { as: person, key: newId('req'), body })).status).toBe(400);
  });

  it('in a currency in which he has no wallet finds none', async () => {
    const { person } = await personWithWallet();
    const body = { ...money.addition(100), currency: 'EUR' };
    const answer = await money.wallets.post('/wallet/add', { as: person, key: newId('req'), body });
    expect([answer.status, answer.body['code']]).toEqual([404, 'wallet_not_found']);
  });
});

describe('killed in the middle of an addition', () => {
  it.each(['wallet.add.after-intent', 'wallet.add.after-payment', 'wallet.add.after-posting'])(
    'at %s, it ends SUCCESS without help, by one payment',
    async (crash) => {
      const { person, walletId } = await personWithWallet();
      const before = money.payments.payments.size;
      await money.nothingWaits();
      const doomed = await money.startDoomed(crash);
      const lost = fetch(`${doomed.url}/wallet/add`, {
        method: 'POST',
        headers: {
          authorization: await money.wallets.authorization(person),
          'content-type': 'application/json',
          'idempotency-key': newId('req'),
        },
        body: JSON.stringify(money.addition(2500)),
      });
      await expect(lost).rejects.toThrow();
      expect(await doomed.died).toBe('SIGKILL');
      await money.letTimePass();
      const transaction = await money.ended(person, 'ADD');
      expect(transaction).toMatchObject({ status: 'SUCCESS', balanceAfter: 2500 });
      expect(await money.wallets.available(walletId)).toBe(2500);
      expect(money.payments.payments.size - before).toBe(1);
    },
  );
});
