import { createHash } from 'node:crypto';

import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { canonicalJson, newId } from '@payflow/kernel';
import { dumpOf, eventually, userPrincipal } from '@payflow/testing';

import { IBAN, MoneyUnderTest } from './money-under-test.js';
import type { Fields } from './wallets-under-test.js';

jest.setTimeout(120_000);

let money: MoneyUnderTest;
beforeAll(async () => {
  money = await MoneyUnderTest.start();
});
afterEach(async () => {
  await money.clearBankModes();
});
afterAll(async () => {
  await money.stop();
});

const ADMIN = userPrincipal(newId('usr'), 'admin');

const personWith = async (amount: number) => {
  const person = await money.wallets.person();
  return { person, walletId: await money.wallets.wallet(person, amount) };
};

describe('POST /wallet/withdraw', () => {
  it('pays at the bank, once, and tells of it', async () => {
    const { person, walletId } = await personWith(5000);
    const key = newId('req');
    const answer = await money.withdraw(person, 2000, IBAN.paid, key);
    expect([answer.status, answer.body]).toMatchObject([201, { status: 'SUCCESS', balanceAfter: 3000 }]);
    const again = await money.withdraw(person, 2000, IBAN.paid, key);
    expect([again.text, again.headers['idempotent-replayed']]).toEqual([answer.text, 'true']);
    expect(await money.wallets.available(walletId)).toBe(3000);
    expect(await money.bankBook(answer.body['transactionId'])).toEqual(['CREDIT']);
    expect(await money.told(answer.body['transactionId'])).toEqual(['PENDING', 'SUCCESS']);
  });

  it('is refused above the balance, and what it counted on the day is given back', async () => {
    const { person, walletId } = await personWith(1000);
    const answer = await money.withdraw(person, 1001, IBAN.paid);
    expect([answer.status, answer.body]).toMatchObject([422, { code: 'insufficient_funds' }]);
    expect(await money.ended(person, 'WITHDRAW')).toMatchObject({ status: 'FAILED', reason: 'insufficient_funds' });
    const [row] = await money.wallets.database.query<{ spent: bigint }>(
      'SELECT spent_minor AS spent FROM wallets WHERE id = $1',
      [walletId],
    );
    expect(row?.spent).toBe(0n);
    expect(await money.bankBook(answer.body['transactionId'])).toEqual([]);
  });

  it.each([
    ['with wrong check digits', { iban: 'GB58PAYF00000100000001', name: 'Ada' }, 422],
    ['with a wrong routing number', { accountNumber: '1234', routingNumber: '110000001', name: 'Ada' }, 422],
    ['without a name', { iban: IBAN.paid }, 400],
    ['with both kinds', { iban: IBAN.paid, accountNumber: '1234', routingNumber: '110000000', name: 'Ada' }, 400],
  ])('to an account %s is refused', async (_, bankAccount, status) => {
    const { person } = await personWith(1000);
    const body = { amount: 100, bankAccount };
    expect((await money.wallets.post('/wallet/withdraw', { as: person, key: newId('req'), body })).status).toBe(status);
  });

  it('of a blocked person is refused', async () => {
    const person = await money.wallets.person({ status: 'BLOCKED' });
    await money.wallets.wallet(person);
    const answer = await money.withdraw(person, 100, IBAN.paid);
    expect([answer.status, answer.body['code']]).toEqual([403, 'account_blocked']);
  });

  it('of a wallet of somebody else finds none', async () => {
    const { walletId } = await personWith(1000);
    const { person } = await personWith(1000);
    const body = { ...money.withdrawal(100, IBAN.paid), walletId };
    const answer = await money.wallets.post('/wallet/withdraw', { as: person, key: newId('req'), body });
    expect([answer.status, answer.body['code']]).toEqual([404, 'wallet_not_found']);
  });

  it('by ten at once over the last cent has one winner', async () => {
    const { person, walletId } = await personWith(100);
    const answers = await Promise.all(
      Array.from({ length: 10 }, async () => await money.withdraw(person, 100, IBAN.paid)),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ body }) => body['code'] === 'insufficient_funds')).toHaveLength(9);
    expect(await money.wallets.available(walletId)).toBe(0);
  });

  it.each<[string, string, string, string | null, number, readonly string[]]>([
    ['is accepted and paid later', IBAN.accepted, 'SUCCESS', null, 3000, ['CREDIT']],
    ['is refused by the bank', IBAN.closed, 'FAILED', 'payout_refused_AC04', 5000, []],
    ['times out with effect', IBAN.silentWithEffect, 'SUCCESS', null, 3000, ['CREDIT']],
    ['times out without effect', IBAN.silentWithoutEffect, 'FAILED', 'payout_not_sent', 5000, []],
  ])('that %s (%s) ends %s, once', async (_, iban, status, reason, left, kinds) => {
    const { person, walletId } = await personWith(5000);
    await money.withdraw(person, 2000, iban);
    const transaction = await money.ended(person, 'WITHDRAW');
    expect(transaction).toMatchObject({ status, reason });
    expect(await money.wallets.available(walletId)).toBe(left);
    expect(await money.bankBook(transaction['transactionId'])).toEqual(kinds);
    expect(await money.told(transaction['transactionId'])).toEqual(['PENDING', status]);
  });

  it('that comes back after it was paid has failed, the money is back, and it is told once', async () => {
    const { person, walletId } = await personWith(5000);
    const { body } = await money.withdraw(person, 2000, IBAN.paid);
    await money.returnPayout(body['transactionId']);
    await eventually(async () => {
      expect(await money.ended(person, 'WITHDRAW')).toMatchObject({ status: 'FAILED', reason: 'payout_returned' });
    });
    expect(await money.wallets.available(walletId)).toBe(5000);
    expect(await money.told(body['transactionId'])).toEqual(['PENDING', 'SUCCESS', 'FAILED']);
  });

  it('is not believed to be paid by a feed that tells of another amount: it is a case for people', async () => {
    const { person } = await personWith(5000);
    await money.setBankMode({ mode: 'timeout_without_effect', operation: 'payout', times: 1 });
    await money.setBankMode({ mode: 'error_before_effect', operation: 'inquiry' });
    await money.setBankMode({ mode: 'unavailable', operation: 'feed' });
    const { status, body } = await money.withdraw(person, 2000, IBAN.paid);
    expect(status).toBe(202);
    const transactionId = String(body['transactionId']);
    await money.payAtBank(transactionId, 1, IBAN.paid);
    await money.setBankMode({ mode: 'normal', operation: 'feed' });
    await eventually(async () => {
      const listed = await money.wallets.get(`/wallet-exceptions?transactionId=${transactionId}`, ADMIN);
      expect(listed.body['data']).toContainEqual(
        expect.objectContaining({ kind: 'contradiction', detail: expect.stringContaining('PAID of 1 USD') }),
      );
    });
    expect(await money.told(transactionId)).toEqual(['PENDING']);
    // It has no end by itself, and other tests wait until nothing is under way.
    await money.wallets.database.execute('DELETE FROM wallet_timers WHERE subject_id = $1', [transactionId]);
  });

  it('keeps nothing of the account from which its number could be guessed', async () => {
    const { person } = await personWith(5000);
    const key = newId('req');
    const { body } = await money.withdraw(person, 2000, IBAN.paid, key);
    expect((await money.withdraw(person, 2000, IBAN.closed, key)).body['code']).toBe('idempotency_key_reused');
    const [row] = await money.wallets.database.query<{ hash: Buffer }>(
      'SELECT request_hash AS hash FROM idempotency_keys WHERE resource_id = $1',
      [body['transactionId']],
    );
    const content = { path: '/wallet/withdraw', query: {}, body: money.withdrawal(2000, IBAN.paid) };
    const guessed = createHash('sha256').update(canonicalJson(content)).digest();
    expect(row?.hash.equals(guessed)).toBe(false);
  });

  it('keeps the account sealed while it is needed, and then not at all', async () => {
    const { person } = await personWith(5000);
    // The payout alone: a slow look at the feed would still be under way in the next test, and tell of its payout.
    await money.setBankMode({ mode: 'slow', latencyMs: 700, operation: 'payout' });
    const answer = money.withdraw(person, 100, IBAN.paid);
    await eventually(async () => {
      const sealed = await money.wallets.database.query(
        'SELECT FROM wallet_withdrawals WHERE account_sealed IS NOT NULL',
      );
      expect(sealed.length).toBeGreaterThan(0);
    });
    const dump = await dumpOf(money.wallets.databases.ownerUrl);
    const bytes = Buffer.from(IBAN.paid);
    for (const encoding of [IBAN.paid, bytes.toString('hex'), bytes.toString('base64')])
      expect(dump.includes(encoding)).toBe(false);
    expect((await answer).body).toMatchObject({ bankAccount: 'GB••0001' });
    const [row] = await money.wallets.database.query<{ account_sealed: Buffer | null }>(
      'SELECT account_sealed FROM wallet_withdrawals WHERE transaction_id = $1',
      [(await answer).body['transactionId']],
    );
    expect(row?.account_sealed).toBeNull();
  });
});

describe('a bank that does not answer for too long', () => {
  it('is a case for people, which ends by itself when the bank answers', async () => {
    const { person, walletId } = await personWith(5000);
    await money.setBankMode({ mode: 'timeout_after_effect', operation: 'payout' });
    await money.setBankMode({ mode: 'error_before_effect', operation: 'inquiry' });
    await money.setBankMode({ mode: 'unavailable', operation: 'feed' });
    const { status, body } = await money.withdraw(person, 2000, IBAN.paid);
    expect(status).toBe(202);
    const transactionId = String(body['transactionId']);
    const listed = async () =>
      (await money.wallets.get(`/wallet-exceptions?transactionId=${transactionId}`, ADMIN)).body['data'] as Fields[];
    await eventually(async () => expect(await listed()).toMatchObject([{ kind: 'stuck', resolvedAt: null }]), {
      timeoutMs: 40_000,
    });
    expect((await money.wallets.get('/wallet-exceptions', person)).status).toBe(403);
    await money.clearBankModes();
    await money.letTimePass();
    expect(await money.ended(person, 'WITHDRAW')).toMatchObject({ status: 'SUCCESS' });
    expect(await money.wallets.available(walletId)).toBe(3000);
    const [exception] = await listed();
    expect(exception).toMatchObject({ resolvedBy: 'svc_wallet' });
    const resolved = await money.wallets.post(`/wallet-exceptions/${String(exception?.['exceptionId'])}/resolve`, {
      as: ADMIN,
      key: newId('req'),
      body: { resolution: 'too late' },
    });
    expect([resolved.status, resolved.body['code']]).toEqual([409, 'wallet_exception_resolved']);
  });
});

describe('killed in the middle of a withdrawal', () => {
  it.each<[string, string, string, number]>([
    ['wallet.withdraw.after-intent', IBAN.paid, 'SUCCESS', 3000],
    ['wallet.withdraw.after-posting', IBAN.paid, 'SUCCESS', 3000],
    ['wallet.withdraw.before-bank', IBAN.paid, 'FAILED', 5000],
    ['wallet.withdraw.after-bank', IBAN.paid, 'SUCCESS', 3000],
    ['wallet.withdraw.after-bank', IBAN.closed, 'FAILED', 5000],
    ['wallet.withdraw.after-posting@2', IBAN.paid, 'SUCCESS', 3000],
    ['wallet.withdraw.after-posting@2', IBAN.closed, 'FAILED', 5000],
    ['wallet.withdraw.after-outcome', IBAN.paid, 'FAILED', 5000],
    ['wallet.withdraw.after-outcome@2', IBAN.paid, 'SUCCESS', 3000],
    ['wallet.withdraw.after-outcome@3', IBAN.closed, 'FAILED', 5000],
  ])('at %s to %s, it ends %s without help, once', async (crash, iban, status, left) => {
    const { person, walletId } = await personWith(5000);
    await money.nothingWaits();
    const doomed = await money.startDoomed(crash);
    const key = newId('req');
    const lost = fetch(`${doomed.url}/wallet/withdraw`, {
      method: 'POST',
      headers: {
        authorization: await money.wallets.authorization(person),
        'content-type': 'application/json',
        'idempotency-key': key,
      },
      body: JSON.stringify(money.withdrawal(2000, iban)),
    });
    await expect(lost).rejects.toThrow();
    expect(await doomed.died).toBe('SIGKILL');
    await money.letTimePass();
    const transaction = await money.ended(person, 'WITHDRAW');
    expect(transaction).toMatchObject({ status });
    expect(await money.wallets.available(walletId)).toBe(left);
    expect(await money.bankBook(transaction['transactionId'])).toEqual(status === 'SUCCESS' ? ['CREDIT'] : []);
    await money.wallets.database.execute(
      `UPDATE idempotency_keys SET lease_until = now() - interval '1 second' WHERE key = $1 AND state = 'running'`,
      [key],
    );
    const answer = await money.withdraw(person, 2000, iban, key);
    expect([answer.status, answer.body]).toMatchObject([201, { transactionId: transaction['transactionId'], status }]);
  });
});
