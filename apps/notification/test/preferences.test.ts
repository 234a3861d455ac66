import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PAYOUT_EVENTS } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { eventually, merchantPrincipal, payerPrincipal, servicePrincipal, userPrincipal } from '@payflow/testing';

import { MessagesUnderTest } from './messages-under-test.js';

const PATIENT = { timeoutMs: 120_000 };
const MINE = '/notifications/preferences';
const OURS = '/notifications/merchant-preferences';
let service: MessagesUnderTest;

beforeAll(async () => {
  service = await MessagesUnderTest.start();
});
afterAll(async () => {
  await service.stop();
});

const newAddress = (): string => `${newId('usr').slice(4)}@example.com`;

/** Somebody with both addresses, when the service knows of them. */
const personWithBoth = async (): Promise<string> => {
  const userId = await service.person({ email: newAddress(), phone: '+442083661177' });
  await eventually(async () => {
    const { body } = await service.ask('GET', MINE, { as: userPrincipal(userId) });
    expect(body.contact.phone).not.toBeNull();
  }, PATIENT);
  return userId;
};

const channelsOf = async (eventId: string, count: number) =>
  await eventually(async () => {
    const rows = await service.messagesOf(eventId);
    expect(rows).toHaveLength(count);
    return rows.map(({ channel }) => channel);
  }, PATIENT);

describe('GET and PUT /notifications/preferences', () => {
  it('begin with a mail for everything, and say where it goes', async () => {
    const userId = await personWithBoth();
    const { status, body, headers } = await service.ask('GET', MINE, { as: userPrincipal(userId) });
    expect(status).toBe(200);
    expect(headers['etag']).toBe('"0"');
    expect(body).toEqual({
      userId,
      contact: { email: expect.stringContaining('@example.com'), phone: '+442083661177' },
      channels: {
        payment_receipt: ['email'],
        payment_failed: ['email'],
        payment_refunded: ['email'],
        refund_failed: ['email'],
        wallet_received: ['email'],
      },
    });
  });

  it('decide over which channels the next message goes', async () => {
    const userId = await personWithBoth();
    const as = userPrincipal(userId);
    const both = { channels: { payment_receipt: ['email', 'sms'] } };
    expect((await service.ask('PUT', MINE, { as, body: both })).body.channels).toMatchObject({
      payment_receipt: ['email', 'sms'],
      payment_failed: ['email'],
    });
    const told = await service.capture(userId);
    expect(await channelsOf(told.eventId, 2)).toEqual(['email', 'sms']);
  });

  it('switch a message off for who does not want it, and for nobody else', async () => {
    const [silent, loud] = [await personWithBoth(), await personWithBoth()];
    await service.ask('PUT', MINE, { as: userPrincipal(silent), body: { channels: { payment_receipt: [] } } });
    const untold = await service.capture(silent);
    const told = await service.capture(loud, { paymentId: untold.aggregateId });
    expect(await channelsOf(told.eventId, 1)).toEqual(['email']);
    await eventually(async () => {
      const taken = await service.database.query('SELECT FROM inbox WHERE event_id = $1', [untold.eventId]);
      expect(taken.length).toBeGreaterThan(0);
    }, PATIENT);
    expect(await service.messagesOf(untold.eventId)).toEqual([]);
  });

  it('have no switch for codes', async () => {
    const userId = await personWithBoth();
    const as = userPrincipal(userId);
    for (const kind of ['verification', 'password_reset', 'already_registered', 'payout_paid']) {
      expect(await service.ask('PUT', MINE, { as, body: { channels: { [kind]: [] } } })).toMatchObject({
        status: 400,
        body: { code: 'validation_failed' },
      });
    }
    const { eventId } = await service.issueCode(userId, newAddress(), '123456');
    expect(await channelsOf(eventId, 1)).toEqual(['email']);
  });

  it.each([
    ['no object', []],
    ['nothing', {}],
    ['a channel that there is not', { channels: { payment_receipt: ['pigeon'] } }],
    ['a channel twice', { channels: { payment_receipt: ['email', 'email'] } }],
    ['an address of one’s own', { channels: {}, contact: { email: 'a@example.com', phone: null } }],
  ])('refuse %s', async (_, body) => {
    const answer = await service.ask('PUT', MINE, { as: userPrincipal(newId('usr')), body });
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
  });

  it('honour If-Match and repeat an answer under the same key', async () => {
    const as = userPrincipal(newId('usr'));
    const body = { channels: { payment_failed: ['sms'] } };
    const key = newId('req');
    const first = await service.ask('PUT', MINE, { as, body, headers: { 'idempotency-key': key, 'if-match': '"0"' } });
    expect([first.status, first.headers['etag']]).toEqual([200, '"1"']);
    const again = await service.ask('PUT', MINE, { as, body, headers: { 'idempotency-key': key, 'if-match': '"0"' } });
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.body).toEqual(first.body);
    const stale = await service.ask('PUT', MINE, { as, body, headers: { 'if-match': '"0"' } });
    expect(stale).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
  });

  it('of twenty changes at once let one have the version it has read', async () => {
    const as = userPrincipal(newId('usr'));
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () =>
        service.ask('PUT', MINE, { as, body: { channels: {} }, headers: { 'if-match': '"0"' } }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(19).fill(412)]);
  });

  it('are a person’s own: a client has none, and nobody without a token', async () => {
    expect((await service.ask('GET', MINE)).status).toBe(401);
    for (const as of [merchantPrincipal(newId('mer')), payerPrincipal(newId('mer')), servicePrincipal('payment')])
      expect((await service.ask('GET', MINE, { as })).status).toBe(403);
  });
});

describe('GET and PUT /notifications/merchant-preferences', () => {
  it('name the contact of the merchant: without one nobody is told of a payout', async () => {
    const merchantId = newId('mer');
    const as = merchantPrincipal(merchantId);
    const payout = {
      payoutId: newId('po'),
      merchantId,
      currency: 'USD',
      amount: 100,
      status: 'PAID',
      settlementIds: [],
      bank: 'sim',
      bankReference: null,
      reason: null,
    };
    expect((await service.ask('GET', OURS, { as })).body).toEqual({
      merchantId,
      contact: { email: null, phone: null },
      channels: {
        payout_paid: ['email'],
        payout_failed: ['email'],
        payout_returned: ['email'],
        dispute_opened: ['email'],
      },
    });
    const untold = await service.tell(PAYOUT_EVENTS.paid, payout.payoutId, payout);
    await eventually(async () => {
      const taken = await service.database.query('SELECT FROM inbox WHERE event_id = $1', [untold.eventId]);
      expect(taken.length).toBeGreaterThan(0);
    }, PATIENT);
    const contact = { email: 'finance@example.com', phone: '+442083661177' };
    const body = { contact, channels: { payout_paid: ['sms'] } };
    expect((await service.ask('PUT', OURS, { as, body })).body).toMatchObject({ contact });
    const told = await service.tell(PAYOUT_EVENTS.paid, payout.payoutId, payout);
    expect(await channelsOf(told.eventId, 1)).toEqual(['sms']);
    expect(await service.messagesOf(untold.eventId)).toEqual([]);
  });

  it('are not seen by another merchant, nor changed by a payer with the publishable key', async () => {
    const merchantId = newId('mer');
    const body = { contact: { email: 'own@example.com', phone: null }, channels: {} };
    await service.ask('PUT', OURS, { as: merchantPrincipal(merchantId), body });
    const other = await service.ask('GET', OURS, { as: merchantPrincipal(newId('mer')) });
    expect(other.body.contact.email).toBeNull();
    expect((await service.ask('PUT', OURS, { as: payerPrincipal(merchantId), body })).status).toBe(403);
    expect((await service.ask('GET', OURS, { as: userPrincipal(newId('usr'), 'admin') })).status).toBe(404);
  });

  it.each([
    ['no contact', { channels: {} }],
    ['half a contact', { contact: { email: 'a@example.com' }, channels: {} }],
    ['an address that is none', { contact: { email: 'a@b\r\nBcc: c@d.example', phone: null }, channels: {} }],
    ['a number that is none', { contact: { email: null, phone: '12' }, channels: {} }],
    ['a message to persons', { contact: { email: null, phone: null }, channels: { payment_receipt: [] } }],
  ])('refuse %s', async (_, body) => {
    const answer = await service.ask('PUT', OURS, { as: merchantPrincipal(newId('mer')), body });
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
  });
});
