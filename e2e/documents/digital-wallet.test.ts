import { beforeAll, describe, expect, it } from '@jest/globals';

import { call, newKey } from '../stack.js';
import { balanceOf, fund, newPerson, newWallet, type Person } from './printed.js';

/** Every call that digital-wallet.md prints (its API design), and the example of its money transfer flow. */
describe('the calls of digital-wallet.md', () => {
  let sender: Person;
  let receiver: Person;
  let from: string;
  let to: string;
  beforeAll(async () => {
    [sender, receiver] = [await newPerson('anita'), await newPerson('bala')];
    [from, to] = [await newWallet(sender, 'INR'), await newWallet(receiver, 'INR')];
  });
  const post = async (path: string, body: unknown, key = newKey()) =>
    await call<any>('POST', path, { token: sender.token, key, body });

  it('POST /wallet/add takes money from a card, once (R-025)', async () => {
    const answer = await fund(sender, 100_000, 'INR');
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      transactionId: expect.stringMatching(/^txn_/),
      type: 'ADD',
      status: 'SUCCESS',
      amount: 100_000,
    });
  });

  it('GET /wallet/balance tells the balance of the caller’s own wallet (R-024)', async () => {
    const answer = await call<any>('GET', '/wallet/balance?currency=INR', { token: sender.token });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ walletId: from, currency: 'INR', balance: '1000.00', total: 100_000 });
  });

  it('POST /wallet/transfer sends 500 rupees from A to B: one transaction, and both balances (R-208)', async () => {
    const key = newKey();
    const body = { toWallet: to, amount: 50_000, currency: 'INR' };
    const answer = await post('/wallet/transfer', body, key);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ success: true, type: 'TRANSFER', status: 'SUCCESS', amount: 50_000 });
    // The same request retried after a network failure.
    const again = await post('/wallet/transfer', body, key);
    expect([again.text, again.headers.get('idempotent-replayed')]).toEqual([answer.text, 'true']);
    expect((await balanceOf(sender, from)).body.balance).toBe('500.00');
    expect((await balanceOf(receiver, to)).body.balance).toBe('500.00');
    const { transactionId } = answer.body;
    const side = async ({ token }: Person) =>
      (await call<any>('GET', '/transactions?type=TRANSFER', { token })).body.data.filter(
        (transaction: { transactionId: string }) => transaction.transactionId === transactionId,
      );
    expect(await side(sender)).toEqual([
      expect.objectContaining({ debit: 50_000, credit: null, balanceAfter: 50_000 }),
    ]);
    expect(await side(receiver)).toEqual([
      expect.objectContaining({ debit: null, credit: 50_000, balanceAfter: 50_000 }),
    ]);
  });

  it('POST /wallet/transfer refuses what the wallet does not hold, and nothing moves (R-035)', async () => {
    const answer = await post('/wallet/transfer', { toWallet: to, amount: 50_001, currency: 'INR' });
    expect([answer.status, answer.body.code]).toEqual([422, 'insufficient_funds']);
    expect((await balanceOf(sender, from)).body.total).toBe(50_000);
  });

  it('POST /wallet/withdraw debits the wallet and pays to a bank account (R-029)', async () => {
    await newWallet(sender, 'EUR');
    await fund(sender, 10_000, 'EUR');
    const answer = await post('/wallet/withdraw', {
      amount: 4_000,
      currency: 'EUR',
      bankAccount: { iban: 'DE89370400440532013000', name: 'Anita Rao' },
    });
    expect([201, 202]).toContain(answer.status);
    expect(answer.body).toMatchObject({ type: 'WITHDRAW', amount: 4_000 });
    const balance = await call<any>('GET', '/wallet/balance?currency=EUR', { token: sender.token });
    expect(balance.body.available).toBe(6_000);
    expect(answer.text).not.toContain('DE89370400440532013000');
  });

  it('GET /transactions shows the history, newest first, with the fields of the document (R-031, R-033)', async () => {
    const answer = await call<any>('GET', `/transactions?walletId=${from}&limit=10`, { token: sender.token });
    expect(answer.status).toBe(200);
    expect(answer.body).toHaveProperty('nextCursor');
    expect(answer.body.data.map(({ type }: { type: string }) => type)).toEqual(
      expect.arrayContaining(['TRANSFER', 'ADD']),
    );
    for (const transaction of answer.body.data) {
      expect(transaction).toMatchObject({
        transactionId: expect.stringMatching(/^txn_/),
        status: expect.stringMatching(/^(SUCCESS|FAILED)$/),
        amount: expect.any(Number),
        createdAt: expect.stringMatching(/Z$/),
      });
      expect(transaction).toHaveProperty('fromWalletId');
      expect(transaction).toHaveProperty('toWalletId');
    }
    const times = answer.body.data.map(({ createdAt }: { createdAt: string }) => createdAt);
    expect(times).toEqual([...times].sort().reverse());
  });
});
