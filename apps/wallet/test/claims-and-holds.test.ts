import { type EventDefinition, type Principal, USER_EVENTS } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { eventually } from '@payflow/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { UserEventsController } from '../src/events/user-events.controller.js';
import { Timers } from '../src/application/timers.js';
import { WalletsUnderTest } from './wallets-under-test.js';

let wallets: WalletsUnderTest;
let alice: Principal;
let from: string;

beforeAll(async () => {
  wallets = await WalletsUnderTest.start({ environment: { WALLET_CLAIM_DAYS: '0.001' } });
  alice = await wallets.person();
  from = await wallets.wallet(alice, 100_000);
});
afterAll(async () => {
  await wallets.stop();
});

/** As the consumer hands it on, in a transaction of its own. */
const tell = async (definition: EventDefinition, payload: { readonly userId: string }): Promise<void> => {
  const envelope = {
    eventId: newId('evt'),
    type: definition.type,
    occurredAt: new Date().toISOString(),
    aggregateId: payload.userId,
    sequence: 1,
    previousSequence: null,
    merchantId: null,
    correlationId: null,
    causationId: null,
    payload,
  };
  const delivery = { envelope, topic: definition.topic, partition: 0, offset: 0n, headers: {} };
  await wallets.database.transaction((tx) => wallets.app().get(UserEventsController).learn([delivery], tx));
};

const send = async (body: object, key: string = newId('req')) =>
  await wallets.post('/wallet/transfer', { as: alice, key, body: { amount: 1_000, ...body } });

const transaction = async (id: unknown) => (await wallets.get(`/transactions/${String(id)}`, alice)).body;

describe('POST /wallet/transfer', () => {
  it('pays a person by user name, email or phone, into his oldest wallet, made when he has none', async () => {
    const email = `${newId('req')}@example.com`;
    const bob = await wallets.person({ email, emailVerified: true, username: 'Bobby' });
    expect((await send({ toEmail: email.toUpperCase() })).body).toMatchObject({ success: true, status: 'SUCCESS' });
    expect((await send({ toUsername: 'bobby' })).status).toBe(200);
    expect((await wallets.get('/wallet/balance', bob)).body).toMatchObject({ balance: '20.00' });
    expect((await send({ toUsername: 'nobody-at-all' })).body).toMatchObject({
      status: 404,
      code: 'receiver_not_found',
    });
    expect((await send({ toEmail: email, toUsername: 'bobby' })).status).toBe(400);
    expect((await send({})).status).toBe(400);
  });

  it('asks auth about people of whom no event has told', async () => {
    const userId = newId('usr');
    const phone = '+14155550199';
    const user = { userId, username: null, email: null, phone, name: null, status: 'ACTIVE' as const };
    wallets.auth.users.push({ ...user, verified: true, emailVerified: false, phoneVerified: true });
    expect((await send({ toPhone: phone })).body).toMatchObject({ status: 'SUCCESS' });
    expect((await send({ toPhone: phone })).status).toBe(200);
    expect(wallets.auth.asked).toBeGreaterThan(0);
  });
});

describe('Money for somebody without an account', () => {
  it('waits, and is paid to whoever verifies the address', async () => {
    const before = await wallets.available(from);
    const sent = await send({ toEmail: 'carol@example.com' });
    expect(sent.status).toBe(202);
    expect(sent.body).toMatchObject({
      success: false,
      status: 'PENDING',
      toWalletId: null,
      balanceAfter: before - 1_000,
    });
    expect(await transaction(sent.body['transactionId'])).toMatchObject({
      counterparty: 'c***@example.com',
      status: 'PENDING',
    });
    const carol = await wallets.person({ verified: false, email: 'carol@example.com' });
    const payload = { userId: carol.id, channel: 'email' as const, address: 'carol@example.com', complete: true };
    await tell(USER_EVENTS.verified, payload);
    await eventually(async () => {
      expect(await transaction(sent.body['transactionId'])).toMatchObject({ status: 'SUCCESS' });
    });
    expect((await wallets.get('/wallet/balance', carol)).body).toMatchObject({ total: 1_000 });
    expect(await wallets.available(from)).toBe(before - 1_000);
    const told = await wallets.database.query<{ status: string }>(
      `SELECT envelope::jsonb -> 'payload' ->> 'status' AS status FROM outbox WHERE aggregate_id = $1 ORDER BY sequence`,
      [sent.body['transactionId']],
    );
    expect(told).toEqual([{ status: 'PENDING' }, { status: 'SUCCESS' }]);
  });

  it('is taken back by its sender once, and by nobody else', async () => {
    const before = await wallets.available(from);
    const id = String((await send({ toPhone: '+14155550100' })).body['transactionId']);
    const path = `/transactions/${id}/cancel`;
    expect((await wallets.post(path, { as: await wallets.person() })).status).toBe(404);
    expect((await wallets.post(path, { as: alice })).body).toMatchObject({
      success: true,
      status: 'FAILED',
      reason: 'canceled',
    });
    expect((await wallets.post(path, { as: alice })).status).toBe(200);
    expect(await wallets.available(from)).toBe(before);
    const paid = String((await send({ toUsername: 'bobby' })).body['transactionId']);
    expect((await wallets.post(`/transactions/${paid}/cancel`, { as: alice })).body['code']).toBe(
      'wallet_transaction_not_cancelable',
    );
  });

  it('reaches a phone number however it was written, and is not sent to what is none', async () => {
    const sent = await send({ toPhone: '+4407911123456' });
    const erin = await wallets.person({ verified: false });
    const payload = { userId: erin.id, channel: 'phone' as const, address: '+447911123456', complete: true };
    await tell(USER_EVENTS.verified, payload);
    await eventually(async () => {
      expect(await transaction(sent.body['transactionId'])).toMatchObject({ status: 'SUCCESS' });
    });
    const none = await send({ toPhone: '+1234567' });
    expect([none.status, none.body['errors']]).toEqual([400, [expect.objectContaining({ pointer: '/toPhone' })]]);
  });

  it('goes to whom auth says the address is, when events tell of two', async () => {
    const email = `${newId('req')}@example.com`;
    const before = await wallets.person({ email, emailVerified: true });
    const now = await wallets.person({ email, emailVerified: true });
    const user = { userId: now.id, username: null, email, phone: null, name: null, status: 'ACTIVE' as const };
    wallets.auth.users.push({ ...user, verified: true, emailVerified: true, phoneVerified: false });
    expect((await send({ toEmail: email })).body).toMatchObject({ status: 'SUCCESS' });
    expect((await wallets.get('/wallet/balance', now)).body).toMatchObject({ total: 1_000 });
    expect((await wallets.get('/wallet/balance', before)).status).toBe(404);
  });

  it('does not go back when auth knows its receiver and no event has told of him', async () => {
    const email = `${newId('req')}@example.com`;
    const id = (await send({ toEmail: email })).body['transactionId'];
    const userId = newId('usr');
    const user = { userId, username: null, email, phone: null, name: null, status: 'ACTIVE' as const };
    wallets.auth.users.push({ ...user, verified: true, emailVerified: true, phoneVerified: false });
    await wallets.database.execute(`UPDATE wallet_claims SET expires_at = now() WHERE transaction_id = $1`, [id]);
    await wallets.database.execute(`UPDATE wallet_timers SET due_at = now() WHERE subject_id = $1`, [id]);
    await eventually(async () => {
      expect(await transaction(id)).toMatchObject({ status: 'SUCCESS' });
    });
  });

  it('goes back when its time is over', async () => {
    const before = await wallets.available(from);
    const id = (await send({ toEmail: 'nobody@example.com' })).body['transactionId'];
    await wallets.database.execute(`UPDATE wallet_claims SET expires_at = now() WHERE transaction_id = $1`, [id]);
    await wallets.database.execute(`UPDATE wallet_timers SET due_at = now() WHERE subject_id = $1`, [id]);
    await eventually(async () => {
      expect(await transaction(id)).toMatchObject({ status: 'FAILED', reason: 'claim_expired' });
    });
    expect(await wallets.available(from)).toBe(before);
  });
});

describe('Holds', () => {
  const place = async (amount: number, body: object = {}) =>
    await wallets.post(`/wallets/${from}/holds`, { as: alice, key: newId('req'), body: { amount, ...body } });
  const balance = async () => (await wallets.get(`/wallets/${from}/balance`, alice)).body as Record<string, number>;

  it('sets money aside, pays a part of it out and releases the rest', async () => {
    const before = await balance();
    const held = await place(5_000, { reference: 'deposit' });
    expect([held.status, held.body['status']]).toEqual([201, 'PLACED']);
    expect(await balance()).toMatchObject({
      total: before['total'],
      held: 5_000,
      available: before['available']! - 5_000,
    });
    const shop = await wallets.person();
    const till = await wallets.wallet(shop);
    const confirm = { as: alice, key: newId('req'), body: { toWallet: till, amount: 2_000 } };
    const path = `/holds/${String(held.body['holdId'])}/confirm`;
    const confirmed = await wallets.post(path, confirm);
    expect(confirmed.body).toMatchObject({ status: 'CONFIRMED', confirmedAmount: 2_000 });
    expect((await wallets.post(path, confirm)).text).toBe(confirmed.text);
    expect((await wallets.post(path, { ...confirm, key: newId('req') })).body['code']).toBe('hold_not_open');
    expect(await balance()).toMatchObject({ total: before['total']! - 2_000, held: 0 });
    expect(await wallets.available(till)).toBe(2_000);
    expect(await transaction(confirmed.body['transactionId'])).toMatchObject({
      type: 'TRANSFER',
      status: 'SUCCESS',
      debit: 2_000,
    });
  });

  it('is voided once, and not by others; more than it has is not taken', async () => {
    const before = await balance();
    const id = String((await place(700)).body['holdId']);
    const other = await wallets.person();
    const till = await wallets.wallet(other);
    expect((await wallets.post(`/holds/${id}/void`, { as: other })).status).toBe(404);
    const tooMuch = await wallets.post(`/holds/${id}/confirm`, { as: alice, body: { toWallet: till, amount: 701 } });
    expect(tooMuch.body).toMatchObject({ code: 'hold_exceeded', remaining: 700 });
    expect((await wallets.post(`/holds/${id}/void`, { as: alice })).body).toMatchObject({ status: 'VOIDED' });
    expect((await wallets.post(`/holds/${id}/void`, { as: alice })).status).toBe(200);
    expect(await balance()).toMatchObject({ total: before['total'], held: 0 });
    expect((await place(10_000_000)).body['code']).toBe('insufficient_funds');
  });

  it('pays nothing out of a wallet that is frozen, and still gives its money back', async () => {
    const [owner, friend] = await Promise.all([wallets.person(), wallets.person()]);
    const [wallet, till] = await Promise.all([wallets.wallet(owner, 1_000), wallets.wallet(friend)]);
    const held = await wallets.post(`/wallets/${wallet}/holds`, {
      as: owner,
      key: newId('req'),
      body: { amount: 600 },
    });
    const path = `/holds/${String(held.body['holdId'])}`;
    await wallets.database.execute(`UPDATE wallets SET status = 'FROZEN', frozen_reason = 'stolen' WHERE id = $1`, [
      wallet,
    ]);
    const confirmed = await wallets.post(`${path}/confirm`, { as: owner, body: { toWallet: till } });
    expect(confirmed.body['code']).toBe('wallet_frozen');
    expect(await wallets.available(till)).toBe(0);
    expect((await wallets.post(`${path}/void`, { as: owner })).body).toMatchObject({ status: 'VOIDED' });
    expect(await wallets.available(wallet)).toBe(1_000);
  });

  it('expires by its timer', async () => {
    const before = await balance();
    const id = String((await place(900, { expiresInSeconds: 1 })).body['holdId']);
    await eventually(async () => {
      await wallets.app().get(Timers).pass();
      expect((await wallets.get(`/holds/${id}`, alice)).body).toMatchObject({ status: 'EXPIRED' });
    });
    expect(await balance()).toMatchObject({ total: before['total'], held: 0 });
  });
});

describe('GET /wallets/{id}/statement.csv', () => {
  it('begins and ends with the balance, has every movement, and no cell that a spreadsheet would run', async () => {
    const dave = await wallets.person();
    const wallet = await wallets.wallet(dave);
    const since = new Date().toISOString();
    await wallets.transfer(alice, from, wallet, 3_000, { body: { note: '=1+1' } });
    await wallets.transfer(dave, wallet, from, 500);
    const { text, headers } = await wallets.get(`/wallets/${wallet}/statement.csv?from=${since}`, dave);
    expect(headers['content-type']).toContain('text/csv');
    const rows = text
      .trim()
      .split('\r\n')
      .map((line) => line.split(','));
    expect(rows.map((row) => [row[2], row[4], row[5], row[6], row[7]])).toEqual([
      ['type', 'note', 'debit', 'credit', 'balance'],
      ['OPENING', '', '', '', '0.00'],
      ['TRANSFER', "'=1+1", '', '30.00', '30.00'],
      ['TRANSFER', '', '5.00', '', '25.00'],
      ['CLOSING', '', '', '', '25.00'],
    ]);
  });

  it('has money that waited for its receiver when it came to him, not when it was sent', async () => {
    const sent = await send({ toEmail: 'dora@example.com' });
    const dora = await wallets.person({ verified: false, email: 'dora@example.com' });
    const wallet = await wallets.wallet(dora, 500);
    const since = (await wallets.database.query<{ at: Date }>('SELECT clock_timestamp() AS at'))[0]?.at.toISOString();
    const payload = { userId: dora.id, channel: 'email' as const, address: 'dora@example.com', complete: true };
    await tell(USER_EVENTS.verified, payload);
    await eventually(async () => {
      expect(await transaction(sent.body['transactionId'])).toMatchObject({ status: 'SUCCESS' });
    });
    const { text } = await wallets.get(`/wallets/${wallet}/statement.csv?from=${String(since)}`, dora);
    const rows = text.split('\r\n').map((line) => line.split(','));
    expect(rows.slice(1, -1).map((row) => [row[2], row[6], row[7]])).toEqual([
      ['OPENING', '', '5.00'],
      ['TRANSFER', '10.00', '15.00'],
      ['CLOSING', '', '15.00'],
    ]);
  });
});
