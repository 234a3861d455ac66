import { describe, expect, it } from '@jest/globals';

import { approvedIn, bookOf, choose } from './acquirer.js';
import { bankBookOf, returnPayout } from './bank.js';
import {
  adminToken,
  type Answer,
  call,
  CARD_OK,
  cardNumbered,
  demo,
  eventually,
  ledgerToken,
  newKey,
} from './stack.js';

const PAID = 'GB57PAYF00000100000001';
const ACCEPTED = 'GB30PAYF00000100000002';
const CLOSED = 'GB73PAYF00000100000004';
const SILENT_WITH_EFFECT = 'GB89PAYF00000100000007';
const SILENT_WITHOUT_EFFECT = 'GB62PAYF00000100000008';
const ERROR_WITHOUT_EFFECT = 'GB35PAYF00000100000009';
const ERROR_WITH_EFFECT = 'GB08PAYF00000100000010';
const RETURNED = 'GB78PAYF00000100000011';

/** A lease, an inquiry, and a busy machine. */
const RESOLVED_TIMEOUT_MS = 240_000;
const TEST_TIMEOUT_MS = 600_000;

interface Person {
  readonly token: string;
  readonly userId: string;
  readonly walletId: string;
}

/** Somebody with an empty wallet in USD. */
const newPerson = async (): Promise<Person> => {
  const username = `money_${newKey().slice(0, 18).replaceAll('-', '_')}`;
  const password = 'correct horse battery staple';
  const registered = await call('POST', '/auth/register', { body: { username, password } });
  if (registered.status !== 201) throw new Error(`no account: ${registered.status} ${registered.text}`);
  const { body: login } = await call('POST', '/auth/login', { body: { username, password } });
  const token = String(login['token']);
  const wallet = await call('POST', '/wallets', { token, key: newKey(), body: { currency: 'USD' } });
  if (wallet.status !== 201) throw new Error(`no wallet: ${wallet.status} ${wallet.text}`);
  return { token, userId: String(wallet.body['ownerId']), walletId: String(wallet.body['id']) };
};

const balanceOf = async ({ token, walletId }: Person): Promise<number> => {
  const { body } = await call('GET', `/wallets/${walletId}/balance`, { token });
  return Number(body['available']);
};

const add = async (person: Person, amount: number, number = CARD_OK.number, key = newKey()): Promise<Answer<any>> =>
  await call('POST', '/wallet/add', {
    token: person.token,
    key,
    body: { amount, currency: 'USD', paymentMethod: { type: 'card', card: cardNumbered(number) } },
  });

const withdraw = async (person: Person, amount: number, iban: string, key = newKey()): Promise<Answer<any>> =>
  await call('POST', '/wallet/withdraw', {
    token: person.token,
    key,
    body: { amount, currency: 'USD', bankAccount: { iban, name: 'Ada Lovelace' } },
  });

const withMoney = async (amount: number): Promise<Person> => {
  const person = await newPerson();
  expect((await add(person, amount)).body).toMatchObject({ status: 'SUCCESS' });
  return person;
};

const transactionsOf = async ({ token }: Person, type: string): Promise<readonly any[]> =>
  (await call('GET', `/transactions?type=${type}&limit=100`, { token })).body['data'];

/** The one transaction of its type, when it has ended. */
const ended = async (person: Person, type: 'ADD' | 'WITHDRAW', timeoutMs = RESOLVED_TIMEOUT_MS): Promise<any> =>
  await eventually(async () => {
    const transactions = await transactionsOf(person, type);
    expect(transactions).toHaveLength(1);
    expect(transactions[0].status).not.toBe('PENDING');
    return transactions[0];
  }, timeoutMs);

/** Every posting of it in the ledger, as account: sum of its entries. */
const ledgerOf = async (person: Person): Promise<Readonly<Record<string, number>>> => {
  const { body } = await call('GET', `/ledger/accounts?prefix=user:${person.userId}&limit=100`, {
    token: await ledgerToken(),
  });
  return Object.fromEntries(body['data'].map((account: any) => [account.code, account.balance]));
};

/** Kills it, and waits until it serves again. @returns when it does */
const killWallet = async (): Promise<void> => {
  const before = demo().pids['wallet'];
  if (before === undefined) throw new Error('no pid of wallet');
  process.kill(before, 'SIGKILL');
  await eventually(async () => {
    expect(demo().pids['wallet']).not.toBe(before);
    expect((await fetch(`${demo().gateway}/health/ready`)).status).toBe(200);
    expect((await call('GET', '/wallet-exceptions', { token: await adminToken() })).status).toBe(200);
  });
};

/** Begins something and kills the wallet service as soon as its intent is committed. */
const killedInBetween = async (
  person: Person,
  type: 'ADD' | 'WITHDRAW',
  begin: (key: string) => Promise<unknown>,
): Promise<void> => {
  const answer = begin(newKey()).catch(() => undefined);
  await eventually(async () => {
    expect(await transactionsOf(person, type)).toHaveLength(1);
  });
  await killWallet();
  await answer;
};

const chargesOf = async (transaction: any): Promise<number> =>
  approvedIn(await bookOf(String(transaction.paymentId)), 'capture');
const kindsInBankBook = async (transaction: any): Promise<readonly string[]> =>
  (await bankBookOf(String(transaction.transactionId))).map(({ kind }) => kind);

describe('money that is added by a card', () => {
  it('is in the wallet at once: one ADD, one charge at the acquirer, an entry in the ledger', async () => {
    const person = await newPerson();
    const answer = await add(person, 2500);
    expect([answer.status, answer.body]).toMatchObject([
      201,
      { type: 'ADD', status: 'SUCCESS', amount: 2500, currency: 'USD', balanceAfter: 2500, reason: null },
    ]);
    expect(await balanceOf(person)).toBe(2500);
    const transaction = await ended(person, 'ADD');
    expect(transaction).toMatchObject({ credit: 2500, debit: null, balanceAfter: 2500 });
    expect(await chargesOf(transaction)).toBe(1);
    expect((await ledgerOf(person))[`user:${person.userId}:wallet:${person.walletId}`]).toBe(2500);
    const { body: payment } = await call('GET', `/payments/${transaction.paymentId}`, { token: await adminToken() });
    expect(payment).toMatchObject({ status: 'CAPTURED', feeAmount: 0, userId: person.userId });
  });

  it('is added once for a key', async () => {
    const person = await newPerson();
    const key = newKey();
    const first = await add(person, 700, CARD_OK.number, key);
    const second = await add(person, 700, CARD_OK.number, key);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(second.text).toBe(first.text);
    expect(await balanceOf(person)).toBe(700);
  });

  it('by a saved card of his own works; by somebody else’s it is refused and nothing is taken', async () => {
    const [owner, other] = [await newPerson(), await newPerson()];
    const { body: token } = await call('POST', '/tokens', {
      token: owner.token,
      key: newKey(),
      body: { card: CARD_OK, reusable: true },
    });
    const addBy = async (person: Person): Promise<Answer<any>> =>
      await call('POST', '/wallet/add', {
        token: person.token,
        key: newKey(),
        body: { amount: 300, paymentMethod: { type: 'card', token: token['tokenId'] } },
      });
    expect((await addBy(owner)).body).toMatchObject({ status: 'SUCCESS' });
    expect((await addBy(owner)).body).toMatchObject({ status: 'SUCCESS', balanceAfter: 600 });
    const refused = await addBy(other);
    expect(refused.status).toBe(422);
    expect(await ended(other, 'ADD')).toMatchObject({ status: 'FAILED' });
    expect(await balanceOf(other)).toBe(0);
  });

  it('that is declined has failed with the reason, and the balance is unchanged', async () => {
    const person = await newPerson();
    const answer = await add(person, 2500, '4000000000009995');
    expect([answer.status, answer.body]).toMatchObject([201, { status: 'FAILED', reason: 'insufficient_funds' }]);
    expect(await balanceOf(person)).toBe(0);
    expect(await chargesOf(await ended(person, 'ADD'))).toBe(0);
  });

  it(
    'whose acquirer is silent after the charge is 202 PENDING, then SUCCESS once, without help',
    async () => {
      const person = await newPerson();
      const answer = await add(person, 2500, '4000009900000012');
      expect([answer.status, answer.body]).toMatchObject([202, { status: 'PENDING' }]);
      const transaction = await ended(person, 'ADD');
      expect(transaction).toMatchObject({ status: 'SUCCESS' });
      expect(await balanceOf(person)).toBe(2500);
      expect(await chargesOf(transaction)).toBe(1);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'that the payer has to confirm waits for him',
    async () => {
      const person = await newPerson();
      const answer = await add(person, 2500, '4000002500003155');
      expect([answer.status, answer.body]).toMatchObject([
        202,
        { status: 'PENDING', nextAction: { type: 'redirect' } },
      ]);
      await choose(answer.body.nextAction.redirectUrl, 'complete');
      expect(await ended(person, 'ADD')).toMatchObject({ status: 'SUCCESS' });
      expect(await balanceOf(person)).toBe(2500);
    },
    TEST_TIMEOUT_MS,
  );

  it.each([
    ['4000009900000012', 'SUCCESS', 2500],
    ['4000000000000002', 'FAILED', 0],
    ['4242424242424242', 'SUCCESS', 2500],
  ])(
    'by %s ends %s once although the wallet service is killed in between',
    async (number, status, balance) => {
      const person = await newPerson();
      await killedInBetween(person, 'ADD', async (key) => await add(person, 2500, number, key));
      const transaction = await ended(person, 'ADD');
      expect(transaction).toMatchObject({ status });
      expect(await balanceOf(person)).toBe(balance);
      expect(await chargesOf(transaction)).toBe(balance === 0 ? 0 : 1);
    },
    TEST_TIMEOUT_MS,
  );
});

describe('money that is withdrawn', () => {
  it('is at the bank, once', async () => {
    const person = await withMoney(5000);
    const answer = await withdraw(person, 2000, PAID);
    expect([answer.status, answer.body]).toMatchObject([
      201,
      { type: 'WITHDRAW', status: 'SUCCESS', balanceAfter: 3000, bankAccount: 'GB••0001' },
    ]);
    expect(await balanceOf(person)).toBe(3000);
    expect(await bankBookOf(answer.body.transactionId)).toMatchObject([
      { kind: 'CREDIT', account: PAID, amount: 2000, currency: 'USD' },
    ]);
  });

  it('is refused above the balance, with a wrong account, and of a wallet that is not his', async () => {
    const person = await withMoney(1000);
    const other = await newPerson();
    const above = await withdraw(person, 1001, PAID);
    expect([above.status, above.body]).toMatchObject([422, { code: 'insufficient_funds' }]);
    const wrong = await withdraw(person, 100, 'GB58PAYF00000100000001');
    expect([wrong.status, wrong.body]).toMatchObject([422, { code: 'bank_account_invalid' }]);
    const stolen = await call('POST', '/wallet/withdraw', {
      token: other.token,
      key: newKey(),
      body: { amount: 100, walletId: person.walletId, bankAccount: { iban: PAID, name: 'Eve' } },
    });
    expect([stolen.status, stolen.body]).toMatchObject([404, { code: 'wallet_not_found' }]);
    expect(await balanceOf(person)).toBe(1000);
  });

  it.each<[string, string, string, string | null, number, readonly string[]]>([
    ['that the bank accepts and pays later', ACCEPTED, 'SUCCESS', null, 3000, ['CREDIT']],
    ['that the bank refuses', CLOSED, 'FAILED', 'payout_refused_AC04', 5000, []],
    ['whose time-out has had an effect', SILENT_WITH_EFFECT, 'SUCCESS', null, 3000, ['CREDIT']],
    ['whose time-out has had none', SILENT_WITHOUT_EFFECT, 'FAILED', 'payout_not_sent', 5000, []],
    ['whose error 500 has had an effect', ERROR_WITH_EFFECT, 'SUCCESS', null, 3000, ['CREDIT']],
    ['whose error 500 has had none', ERROR_WITHOUT_EFFECT, 'FAILED', 'payout_not_sent', 5000, []],
  ])(
    '%s (%s) ends %s (%s), with %i left and %j in the bank’s book',
    async (_, iban, status, reason, left, kinds) => {
      const person = await withMoney(5000);
      const answer = await withdraw(person, 2000, iban);
      expect([201, 202]).toContain(answer.status);
      const transaction = await ended(person, 'WITHDRAW');
      expect(transaction).toMatchObject({ status, reason });
      expect(await balanceOf(person)).toBe(left);
      expect(await kindsInBankBook(transaction)).toEqual(kinds);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'and comes back after it was paid has failed, and the money is back, once',
    async () => {
      const person = await withMoney(5000);
      const answer = await withdraw(person, 2000, PAID);
      expect(answer.body).toMatchObject({ status: 'SUCCESS' });
      await returnPayout(answer.body.transactionId);
      await eventually(async () => {
        expect(await ended(person, 'WITHDRAW')).toMatchObject({ status: 'FAILED', reason: 'payout_returned' });
      });
      expect(await balanceOf(person)).toBe(5000);
      expect(await bankBookOf(answer.body.transactionId)).toHaveLength(2);
    },
    TEST_TIMEOUT_MS,
  );

  it.each<[string, string, number]>([
    [PAID, 'SUCCESS or FAILED', 0],
    [CLOSED, 'FAILED', 5000],
    [SILENT_WITH_EFFECT, 'SUCCESS', 3000],
    [SILENT_WITHOUT_EFFECT, 'FAILED', 5000],
    [RETURNED, 'FAILED', 5000],
  ])(
    'to %s ends %s although the wallet service is killed in between',
    async (iban, status, left) => {
      const person = await withMoney(5000);
      await killedInBetween(person, 'WITHDRAW', async (key) => await withdraw(person, 2000, iban, key));
      const transaction = await ended(person, 'WITHDRAW');
      if (iban === RETURNED) {
        await eventually(async () => {
          expect(await balanceOf(person)).toBe(5000);
        }, RESOLVED_TIMEOUT_MS);
        return;
      }
      const kinds = await kindsInBankBook(transaction);
      expect(status).toContain(transaction.status);
      // It was not sent before the process died, or it was: the wallet tells what the bank's book tells.
      expect(kinds).toEqual(transaction.status === 'SUCCESS' ? ['CREDIT'] : []);
      expect(await balanceOf(person)).toBe(transaction.status === 'SUCCESS' ? 3000 : 5000);
      if (left !== 0) expect(await balanceOf(person)).toBe(left);
    },
    TEST_TIMEOUT_MS,
  );
});

describe('what nobody answers for too long', () => {
  it('is for staff alone to see', async () => {
    const person = await newPerson();
    expect((await call('GET', '/wallet-exceptions', { token: person.token })).status).toBe(403);
    const listed = await call('GET', '/wallet-exceptions?open=true', { token: await adminToken() });
    expect([listed.status, Array.isArray(listed.body['data'])]).toEqual([200, true]);
  });
});
