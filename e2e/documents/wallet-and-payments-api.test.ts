import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { beforeAll, describe, expect, it } from '@jest/globals';

import { call, customerToken, demo, newKey } from '../stack.js';
import { runCollection } from './newman.js';
import {
  balanceOf,
  form,
  fund,
  loggedIn,
  multipart,
  newPerson,
  newWallet,
  PASSWORD,
  type Person,
  registered,
} from './printed.js';

/** The test plan that wallet-and-payments-api.md prints, from its first step to its last; wallets are funded in between. */
describe('the test plan of wallet-and-payments-api.md', () => {
  let alice: Person;
  let bob: Person;
  let fromWallet: string;
  let toWallet: string;

  it('registers alice and bob by form, and says so in the sentence that is printed (R-001)', async () => {
    for (const name of ['alice', 'bob']) {
      const { username, answer } = await registered(name);
      expect(answer.status).toBe(201);
      expect(answer.body).toMatchObject({
        userId: expect.stringMatching(/^usr_/),
        message: `User ${username} registered successfully`,
      });
      const person = await loggedIn(username);
      if (name === 'alice') alice = person;
      else bob = person;
    }
  });

  it('refuses a name that exists, and says so (R-002)', async () => {
    const again = await call<any>('POST', '/auth/register', form({ username: alice.username, password: PASSWORD }));
    expect([again.status, again.body.code]).toEqual([409, 'username_taken']);
    expect(again.body.detail).toContain('exists');
  });

  it('registers and logs in by multipart form too (R-023)', async () => {
    const username = `carol-${newKey().slice(0, 8)}`;
    const registration = await call('POST', '/auth/register', await multipart({ username, password: PASSWORD }));
    expect(registration.status).toBe(201);
    const login = await call<any>('POST', '/auth/login', await multipart({ username, password: PASSWORD }));
    expect([login.status, typeof login.body.token]).toEqual([200, 'string']);
  });

  it('logs in with a token that works at once, and refuses passwords in the URL (R-005, C13)', async () => {
    const login = await call<any>('POST', '/auth/login', form({ username: alice.username, password: PASSWORD }));
    expect(login.status).toBe(200);
    expect(login.body.token.split('.')).toHaveLength(3);
    const me = await call<any>('GET', '/me', { token: login.body.token });
    expect([me.status, me.body.username]).toEqual([200, alice.username]);
    const inUrl = await call('POST', `/auth/login?username=${alice.username}&password=${PASSWORD}`);
    expect(inUrl.status).toBe(400);
  });

  it('creates wallets that start at zero, without a body (R-019)', async () => {
    const answer = await call<any>('POST', '/wallets/create', { token: alice.token });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      id: expect.stringMatching(/^wal_/),
      ownerId: alice.userId,
      balance: '0.00',
    });
    fromWallet = answer.body.id;
    toWallet = await newWallet(bob);
  });

  it('tells the balance by wallet, and nothing of another’s (R-020)', async () => {
    const own = await balanceOf(alice, fromWallet);
    expect([own.status, own.body.balance]).toEqual([200, '0.00']);
    expect((await balanceOf(bob, fromWallet)).status).toBe(404);
    expect((await call('GET', `/wallets/${fromWallet}/balance`)).status).toBe(401);
    expect((await call('GET', '/wallets/wal_01kxyz6w3hf8btq2v9m4n7r5sd/balance', { token: alice.token })).status).toBe(
      404,
    );
  });

  it('transfers 50.0 by form, after 100 were added (R-021)', async () => {
    expect((await fund(alice, 10_000, 'USD')).body).toMatchObject({ status: 'SUCCESS' });
    const answer = await call<any>('POST', '/wallets/transfer', {
      token: alice.token,
      ...form({ fromWallet, toWallet, amount: '50.0' }),
    });
    expect([answer.status, answer.body.success]).toEqual([200, true]);
    for (const [person, wallet] of [
      [alice, fromWallet],
      [bob, toWallet],
    ] as const)
      expect((await balanceOf(person, wallet)).body.balance).toBe('50.00');
  });

  it('transfers by query and by multipart form too, and not with a field in both places', async () => {
    const byQuery = `/wallets/transfer?${new URLSearchParams({ fromWallet, toWallet, amount: '10.5' }).toString()}`;
    expect((await call<any>('POST', byQuery, { token: alice.token })).body.success).toBe(true);
    const parts = await multipart({ fromWallet, toWallet, amount: '9.50' });
    expect((await call<any>('POST', '/wallets/transfer', { token: alice.token, ...parts })).body.success).toBe(true);
    const both = await call<any>('POST', byQuery, { token: alice.token, ...form({ amount: '10.5' }) });
    expect([both.status, both.body.errors[0].code]).toEqual([400, 'duplicate_field']);
    expect((await balanceOf(alice, fromWallet)).body.balance).toBe('30.00');
  });

  it.each([
    ['more than there is', { amount: '30.01' }, 422, 'insufficient_funds'],
    ['an unknown wallet', { toWallet: 'f1e2d3c4-b5a6-7890-9876-54321fedcba0' }, 404, 'wallet_not_found'],
    ['too many decimals', { amount: '0.005' }, 400, 'validation_failed'],
    ['nothing', { amount: '0' }, 400, 'validation_failed'],
    ['less than nothing', { amount: '-1' }, 400, 'validation_failed'],
  ])('refuses a transfer of %s, and nothing moves (R-022)', async (_, fields, status, code) => {
    const body = form({ fromWallet, toWallet, amount: '1', ...fields });
    const answer = await call<any>('POST', '/wallets/transfer', { token: alice.token, ...body });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect((await balanceOf(alice, fromWallet)).body.balance).toBe('30.00');
  });
});

/** Its first part: payments from user to user. */
describe('the payments between users of wallet-and-payments-api.md', () => {
  let alice: Person;
  let bob: Person;
  let wallet: string;
  beforeAll(async () => {
    [alice, bob] = [await newPerson('alice'), await newPerson('bob')];
    wallet = await newWallet(alice);
    await newWallet(bob);
    await fund(alice, 2_000, 'USD');
  });
  const ask = async (amount: string, members: Readonly<Record<string, string>> = {}) => {
    const query = new URLSearchParams({ fromUser: alice.userId, toUser: bob.userId, amount, ...members });
    return await call<any>('POST', `/payments?${query.toString()}`, { token: alice.token });
  };
  const process = async (id: string, { token } = alice, key?: string) =>
    await call<any>('POST', `/payments/${id}/process`, { token, key });

  it('are asked for by query and Pending; nothing has moved (R-057)', async () => {
    const answer = await ask('10');
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      id: expect.any(String),
      fromUser: alice.userId,
      toUser: bob.userId,
      amount: '10.00',
      status: 'Pending',
      timestamp: expect.stringMatching(/Z$/),
    });
    expect((await balanceOf(alice, wallet)).body.balance).toBe('20.00');
  });

  it('are processed once, and both sides see it (R-058)', async () => {
    const { id } = (await ask('5')).body;
    expect((await process(id, bob)).status).toBe(404);
    const key = newKey();
    const answer = await process(id, alice, key);
    expect([answer.status, answer.body.status]).toEqual([200, 'Completed']);
    expect((await process(id, alice, key)).body.status).toBe('Completed');
    expect([(await process(id)).status, (await process(id, alice, newKey())).status]).toEqual([409, 409]);
    expect((await balanceOf(alice, wallet)).body.balance).toBe('15.00');
    const seen = await call<any>('GET', `/payments/${id}`, { token: bob.token });
    expect([seen.status, seen.body.status]).toEqual([200, 'Completed']);
    expect((await call('GET', `/payments/${id}`, { token: await customerToken() })).status).toBe(404);
  });

  it('that nobody can pay are Failed, with the reason', async () => {
    const { id } = (await ask('1000')).body;
    const answer = await process(id);
    expect([answer.status, answer.body.status, answer.body.reason]).toEqual([200, 'Failed', 'insufficient_funds']);
    expect((await process(id)).status).toBe(409);
  });

  it('are one transfer, however many process them at once', async () => {
    const { id } = (await ask('1')).body;
    const before = (await balanceOf(alice, wallet)).body.total;
    const answers = await Promise.all(Array.from({ length: 10 }, () => process(id, alice, newKey())));
    expect(answers.some(({ body }) => body.status === 'Completed')).toBe(true);
    for (const { status } of answers) expect([200, 202, 409]).toContain(status);
    expect((await balanceOf(alice, wallet)).body.total).toBe(before - 100);
  });

  it.each([
    ['somebody else as the payer', { fromUser: 'bob' }, 404],
    ['a receiver that nobody knows', { toUser: 'nobody-at-all' }, 404],
    ['nothing', { amount: '0' }, 400],
    ['less than nothing', { amount: '-10' }, 400],
    ['too many decimals', { amount: '1.005' }, 400],
    ['another field', { note: 'x' }, 400],
  ])('are refused with %s', async (_, members, status) => {
    expect((await ask('10', members)).status).toBe(status);
  });

  it('to oneself are refused', async () => {
    expect((await ask('10', { toUser: alice.userId })).body.code).toBe('transfer_to_itself');
  });

  it('GET /payments lists what the caller may see (R-059)', async () => {
    const answer = await call<any>('GET', '/payments', { token: alice.token });
    expect([answer.status, Array.isArray(answer.body.data)]).toEqual([200, true]);
  });

  it('GET /payments/{userId}/history is for the user alone, and a payment has none there (R-060, C24)', async () => {
    const history = async (id: string, { token }: Person) =>
      await call<any>('GET', `/payments/${id}/history`, { token });
    const { id } = (await ask('3')).body;
    await process(id);
    const own = await history(alice.userId, alice);
    expect(own.status).toBe(200);
    expect(own.body.data[0]).toMatchObject({ id, toUser: bob.userId, status: 'Completed' });
    // The payee has it too, beside what he pays merchants; both lists are one by two names.
    expect((await history(bob.userId, bob)).body.data[0].id).toBe(id);
    const listed = await call<any>('GET', `/users/${alice.userId}/payments`, { token: alice.token });
    expect(listed.body).toEqual(own.body);
    const page = await call<any>('GET', `/users/${alice.userId}/payments?limit=1`, { token: alice.token });
    const next = `/users/${alice.userId}/payments?limit=1&cursor=${page.body.nextCursor}`;
    expect((await call<any>('GET', next, { token: alice.token })).body.data).toEqual([own.body.data[1]]);
    expect((await history(alice.userId, bob)).status).toBe(404);
    const wrong = await history('pay_01kxyz6w3hf8btq2v9m4n7r5sd', alice);
    expect([wrong.status, wrong.body.detail]).toEqual([404, expect.stringContaining('/events')]);
  });
});

describe('the Postman collection that wallet-and-payments-api.md prints', () => {
  it('runs in Newman as it is printed; a token and wallet ids take the place of what it leaves open (R-205)', async () => {
    const printed = await readFile(join(import.meta.dirname, 'printed.postman_collection.json'), 'utf8');
    const [alice, bob] = [await newPerson('alice'), await newPerson('bob')];
    const [wallet1, wallet2] = [await newWallet(alice), await newWallet(bob)];
    await fund(alice, 10_000, 'USD');
    const fresh = `alice-${newKey().slice(0, 8)}`;
    // Nothing else is touched: methods, paths, encodings and field names stay as they are printed.
    const filled = printed
      .replaceAll('http://localhost:8080', demo().gateway)
      .replaceAll('"alice"', JSON.stringify(fresh))
      .replaceAll('<JWT Token>', alice.token)
      .replaceAll('{walletId}', wallet1)
      .replaceAll('"wallet1"', JSON.stringify(wallet1))
      .replaceAll('"wallet2"', JSON.stringify(wallet2))
      .replaceAll('"8080"', JSON.stringify(new URL(demo().gateway).port))
      .replaceAll('["localhost"]', JSON.stringify([new URL(demo().gateway).hostname]));
    const file = join(tmpdir(), `printed-${newKey()}.json`);
    await writeFile(file, filled);
    try {
      const { executions, failures } = await runCollection(file, {});
      expect(failures).toBe(0);
      expect(executions.map(({ name, status }) => [name, status])).toEqual([
        ['Register User', 201],
        ['Login User', 200],
        ['Create Wallet', 201],
        ['Check Balance', 200],
        ['Transfer Funds', 200],
      ]);
      expect((await balanceOf(bob, wallet2)).body.balance).toBe('50.00');
    } finally {
      await rm(file);
    }
  });
});
