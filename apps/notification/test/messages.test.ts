import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PAYMENT_EVENTS, PAYOUT_EVENTS, USER_EVENTS, WALLET_EVENTS } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { dumpOf, encodingsOf, eventually, merchantPrincipal } from '@payflow/testing';

import { SEND_TRIES_MAX } from '../src/domain/sending-schedule.js';
import { deleteEndedMessages } from '../src/store/messages.js';
import { MailServer } from './mail-server.js';
import { MessagesUnderTest } from './messages-under-test.js';

const PATIENT = { timeoutMs: 120_000 };
let folder: string;
let mails: MailServer;
let service: MessagesUnderTest;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'payflow-sms-'));
  mails = await MailServer.start();
  service = await MessagesUnderTest.start({
    SMTP_URL: mails.url,
    MAIL_FROM: 'PayFlow <no-reply@mail.payflow.example>',
    SMS_SINK_FILE: join(folder, 'sms.jsonl'),
  });
});

afterAll(async () => {
  await service.stop();
  await mails.close();
  await rm(folder, { recursive: true });
});

const newAddress = (): string => `${newId('usr').slice(4)}@example.com`;

/** The message of the event, when it has come so far. */
const reached = async (eventId: string, status: string) =>
  await eventually(async () => {
    const rows = await service.messagesOf(eventId);
    expect(rows.map((row) => row.status)).toEqual([status]);
    return rows[0]!;
  }, PATIENT);

/** Events of people and of payments travel beside each other: what is told of somebody must find him known. */
const known = async (userId: string) => {
  await eventually(async () => {
    const rows = await service.database.query(
      'SELECT FROM contacts WHERE recipient_id = $1 AND (email IS NOT NULL OR phone IS NOT NULL)',
      [userId],
    );
    expect(rows).toHaveLength(1);
  }, PATIENT);
  return userId;
};

describe('a receipt', () => {
  it.each([
    ['USD', 1050, '10.50 USD'],
    ['JPY', 1050, '1050 JPY'],
    ['BHD', 1050, '1.050 BHD'],
    ['HUF', 105000, '1050.00 HUF'],
  ])('goes to the proven address of the payer, with the amount as %s has it', async (currency, amount, text) => {
    const email = newAddress();
    const userId = await known(await service.person({ email }));
    const { eventId, payload } = await service.capture(userId, { currency, amount, capturedTotal: amount });
    const { messageId } = await reached(eventId, 'SENT');
    const [mail, ...more] = mails.mailsTo(email);
    expect(more).toEqual([]);
    expect(mail).toMatchObject({ subject: `Receipt: ${text}`, messageId: `<${messageId}@mail.payflow.example>` });
    expect(mail?.text).toContain(`You paid ${text} to ${String(payload['merchantId'])}`);
    expect(mail?.text).toContain('text/html');
  });

  it('goes to nobody while the address is not proven, and to nobody for a payment without a payer', async () => {
    const userId = newId('usr');
    const email = newAddress();
    await service.tell(USER_EVENTS.registered, userId, { userId, roles: [], username: null, email, phone: null });
    const events = [await service.capture(userId), await service.capture(null)];
    // One after them that does go out: they have been taken when it has.
    const after = await service.capture(await known(await service.person({ email: newAddress() })));
    await reached(after.eventId, 'SENT');
    await eventually(async () => {
      const rows = await service.database.query('SELECT FROM inbox WHERE event_id = ANY ($1)', [
        events.map(({ eventId }) => eventId),
      ]);
      expect(rows.length).toBeGreaterThanOrEqual(events.length);
    }, PATIENT);
    for (const { eventId } of events) expect(await service.messagesOf(eventId)).toEqual([]);
    expect(mails.mailsTo(email)).toEqual([]);
  });

  it('comes once for an event that arrives three times', async () => {
    const email = newAddress();
    const userId = await known(await service.person({ email }));
    const envelope = await service.capture(userId);
    await service.send(PAYMENT_EVENTS.captured.topic, envelope);
    await reached(envelope.eventId, 'SENT');
    await service.send(PAYMENT_EVENTS.captured.topic, envelope);
    // Of the same payment, so on the same partition: when its message is there, the copies have been read.
    const next = await service.capture(userId, { paymentId: envelope.aggregateId });
    await reached(next.eventId, 'SENT');
    expect(await service.messagesOf(envelope.eventId)).toHaveLength(1);
    expect(mails.mailsTo(email)).toHaveLength(2);
  });
});

describe('what else is told', () => {
  it('a failed payment, without the reason', async () => {
    const email = newAddress();
    const userId = await known(await service.person({ email }));
    const paymentId = newId('pay');
    const about = { paymentId, merchantId: newId('mer'), userId, currency: 'USD', metadata: {}, amount: 500 };
    const failed = { acquirer: 'sim', attemptId: newId('att'), code: 'fraud_blocked', declineCode: 'stolen_card' };
    const { eventId } = await service.tell(PAYMENT_EVENTS.failed, paymentId, {
      ...about,
      ...failed,
      message: 'Stolen.',
    });
    await reached(eventId, 'SENT');
    const [mail] = mails.mailsTo(email);
    expect(mail?.subject).toBe('Your payment of 5.00 USD did not go through');
    expect(mail?.text).not.toMatch(/stolen|fraud/i);
  });

  it('a refund, and that it failed only to whom it had been told', async () => {
    const email = newAddress();
    const userId = await known(await service.person({ email }));
    const paymentId = newId('pay');
    const about = { paymentId, merchantId: newId('mer'), userId, currency: 'USD', metadata: {}, amount: 500 };
    const refund = { ...about, refundId: newId('ref'), acquirer: 'sim' };
    const refunded = { ...refund, refundedTotal: 800, reason: null, acquirerReference: 'r' };
    const told = await service.tell(PAYMENT_EVENTS.refunded, paymentId, refunded);
    const failure = { ...refund, code: 'refund_declined', message: 'no' };
    // Of two topics, which are read beside each other: the first has gone out when the second comes.
    await reached(told.eventId, 'SENT');
    const untold = await service.tell(PAYMENT_EVENTS.refundFailed, paymentId, { ...failure, reversed: false });
    const reversed = await service.tell(PAYMENT_EVENTS.refundFailed, paymentId, { ...failure, reversed: true });
    await reached(reversed.eventId, 'SENT');
    expect(await service.messagesOf(untold.eventId)).toEqual([]);
    expect(mails.mailsTo(email).map(({ subject }) => subject)).toEqual([
      'Refund: 5.00 USD',
      'Your refund of 5.00 USD did not arrive',
    ]);
  });

  it('money that somebody sent to a wallet, by SMS to who has a phone alone', async () => {
    const phone = '+442083661177';
    const userId = await known(await service.person({ phone }));
    const transactionId = newId('txn');
    const transaction = {
      transactionId,
      type: 'TRANSFER',
      status: 'SUCCESS',
      reason: null,
      fromWalletId: newId('wal'),
      toWalletId: newId('wal'),
      fromUserId: newId('usr'),
      toUserId: userId,
      merchantId: null,
      paymentId: null,
      amount: 700,
      currency: 'EUR',
      ledgerTransactionId: null,
    };
    const { eventId } = await service.tell(WALLET_EVENTS.transaction, transactionId, transaction);
    const { messageId } = await reached(eventId, 'SENT');
    const lines = (await readFile(join(folder, 'sms.jsonl'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({
        messageId,
        to: phone,
        text: `7.00 EUR have arrived in your wallet ${transaction.toWalletId}.`,
      }),
    ]);
  });

  it('a dispute and what became of payouts, to the contact that the merchant has set', async () => {
    const merchantId = newId('mer');
    const email = newAddress();
    const set = await service.ask('PUT', '/notifications/merchant-preferences', {
      as: merchantPrincipal(merchantId),
      body: { contact: { email, phone: null }, channels: {} },
    });
    expect(set.status).toBe(200);
    const payoutId = newId('po');
    const payout = {
      payoutId,
      merchantId,
      currency: 'USD',
      amount: 120_000,
      settlementIds: [],
      bank: 'sim',
      bankReference: 'BNK-1',
      reason: null,
    };
    const events = [
      await service.tell(PAYMENT_EVENTS.disputeOpened, newId('pay'), {
        paymentId: newId('pay'),
        merchantId,
        userId: null,
        currency: 'USD',
        metadata: {},
        disputeId: newId('dp'),
        amount: 900,
        acquirer: 'sim',
        acquirerReference: 'd',
        fee: 1_500,
        reason: 'product_not_received',
        evidenceDueBy: '2026-12-01T12:00:00.000Z',
      }),
      await service.tell(PAYOUT_EVENTS.paid, payoutId, { ...payout, status: 'PAID' }),
      await service.tell(PAYOUT_EVENTS.returned, payoutId, { ...payout, status: 'RETURNED', reason: 'AC04' }),
    ];
    for (const { eventId } of events) await reached(eventId, 'SENT');
    expect(
      mails
        .mailsTo(email)
        .map(({ subject }) => subject)
        .sort(),
    ).toEqual([
      'Dispute over 9.00 USD: answer by 2026-12-01',
      'Paid out: 1200.00 USD',
      'Your payout of 1200.00 USD came back',
    ]);
    expect(mails.mailsTo(email).find(({ subject }) => subject.startsWith('Dispute'))?.text).toContain('15.00 USD');
  });
});

describe('a code', () => {
  // Longer than a real one: six digits are found by chance in times and ids.
  const CODE = '814937205561';

  it('goes out at once to the address that is to be proven, and lies nowhere readable', async () => {
    const email = newAddress();
    const userId = newId('usr');
    const registered = { userId, roles: [], username: 'carol', email, phone: null };
    await service.tell(USER_EVENTS.registered, userId, registered);
    const { eventId } = await service.issueCode(userId, email, CODE);
    await reached(eventId, 'SENT');
    expect(mails.mailsTo(email)[0]?.text).toContain(`Your PayFlow code is ${CODE}, for the account carol.`);
    const dump = await dumpOf(service.databases.ownerUrl);
    for (const encoded of encodingsOf(CODE)) expect(dump).not.toContain(encoded);
  });

  it('that has expired is not sent', async () => {
    const email = newAddress();
    const expiresAt = new Date(Date.now() - 1_000).toISOString();
    const { eventId } = await service.issueCode(newId('usr'), email, '111111', { expiresAt });
    await reached(eventId, 'EXPIRED');
    expect(mails.mailsTo(email)).toEqual([]);
  });

  it('that was sealed for another address is for people to look at, and holds up nobody', async () => {
    const stolen = newAddress();
    const mine = newAddress();
    const userId = newId('usr');
    const issued = await service.issueCode(newId('usr'), stolen, '222222');
    const moved = await service.issueCode(userId, mine, '', { codeSealed: issued.payload['codeSealed'] });
    await eventually(async () => {
      const letters = await service.database.query('SELECT reason FROM dead_letters WHERE event_id = $1', [
        moved.eventId,
      ]);
      expect(letters).toHaveLength(1);
    }, PATIENT);
    const after = await service.issueCode(newId('usr'), newAddress(), '333333');
    await reached(after.eventId, 'SENT');
    expect(mails.mailsTo(mine)).toEqual([]);
  });
});

describe('a mail server', () => {
  it('that is down delays a mail, and gets it when it is back', async () => {
    const email = newAddress();
    const userId = await known(await service.person({ email }));
    await mails.close();
    const { eventId } = await service.capture(userId);
    await eventually(async () => {
      expect(await service.messagesOf(eventId)).toEqual([
        expect.objectContaining({ status: 'PENDING', lastError: expect.stringMatching(/^smtp E/) }),
      ]);
    }, PATIENT);
    await mails.open();
    await service.makeDue(eventId);
    const { tries } = await reached(eventId, 'SENT');
    expect(tries).toBeGreaterThan(1);
    expect(mails.mailsTo(email)).toHaveLength(1);
  });

  it('that knows nobody by the address ends it at once, and says so', async () => {
    const email = `nobody-${newAddress()}`;
    const userId = await known(await service.person({ email }));
    const { eventId } = await service.capture(userId);
    const { messageId, tries, lastError } = await reached(eventId, 'FAILED');
    expect([tries, lastError]).toEqual([1, 'smtp EENVELOPE 550']);
    expect(await service.outbox(messageId)).toEqual([
      expect.objectContaining({
        type: 'notification.failed.v1',
        payload: {
          deliveryId: messageId,
          channel: 'email',
          merchantId: null,
          userId,
          endpointId: null,
          eventId,
          tries: 1,
          reason: 'smtp EENVELOPE 550',
          endpointDisabled: false,
        },
      }),
    ]);
  });

  it('that stays down ends it after the last try', async () => {
    const userId = await known(await service.person({ email: newAddress() }));
    await mails.close();
    const { eventId } = await service.capture(userId);
    await eventually(async () => {
      expect((await service.messagesOf(eventId))[0]?.lastError).toMatch(/^smtp /);
    }, PATIENT);
    await service.database.execute('UPDATE messages SET tries = $2 WHERE event_id = $1', [eventId, SEND_TRIES_MAX - 1]);
    await service.makeDue(eventId);
    const { messageId, tries } = await reached(eventId, 'FAILED');
    expect(tries).toBe(SEND_TRIES_MAX);
    expect(await service.outbox(messageId)).toHaveLength(1);
    await mails.open();
  });
});

it('sends each of sixty messages once, whichever of two instances takes it', async () => {
  const own = await MessagesUnderTest.start({ SMTP_URL: mails.url });
  const second = await own.startInstance();
  try {
    const eventIds = Array.from({ length: 60 }, () => newId('evt'));
    const run = newId('req').slice(4);
    await own.database.execute(
      `INSERT INTO messages (message_id, event_id, recipient_id, channel, to_address, message, urgent, occurred_at)
       SELECT 'del_of_' || id, id, 'usr_of_' || id, 'email', id || $2, '{"kind": "already_registered"}', true, now()
         FROM unnest($1::text[]) AS id`,
      [eventIds, `@${run}.example`],
    );
    await eventually(async () => {
      const [left] = await own.database.query<{ count: bigint }>(
        `SELECT count(*) AS count FROM messages WHERE status <> 'SENT'`,
      );
      expect(left).toEqual({ count: 0n });
    }, PATIENT);
    const reachedAddresses = mails.mails.flatMap(({ to }) =>
      to.filter((address) => address.endsWith(`@${run}.example`)),
    );
    expect(reachedAddresses.sort()).toEqual(eventIds.map((id) => `${id}@${run}.example`).sort());
  } finally {
    await second.close();
    await own.stop();
  }
}, 600_000);

it('forgets what ended long ago, and nothing that is still to be sent', async () => {
  const long = newId('evt');
  const [ended, open] = [newId('del'), newId('del')];
  await service.database.execute(
    `INSERT INTO messages (message_id, event_id, recipient_id, channel, to_address, message, urgent, occurred_at, status,
                           next_try_at, ended_at)
     VALUES ($1, $3, 'usr_a', 'email', 'a@example.com', '{}', false, now() - interval '91 days', 'SENT', now(),
             now() - interval '91 days'),
            ($2, $3, 'usr_b', 'email', 'b@example.com', '{}', false, now() - interval '91 days', 'PENDING',
             now() + interval '1 day', NULL)`,
    [ended, open, long],
  );
  expect(await deleteEndedMessages(service.database, 90, 1_000)).toBe(1);
  expect((await service.messagesOf(long)).map(({ messageId }) => messageId)).toEqual([open]);
});

it('killed between the mail and the note of it, it sends again under the same Message-ID', async () => {
  const own = await MessagesUnderTest.start({ SMTP_URL: mails.url });
  try {
    // From here on there is only the instance that is killed.
    await own.app.close();
    const email = newAddress();
    const eventId = newId('evt');
    await own.database.execute(
      `INSERT INTO messages (message_id, event_id, recipient_id, channel, to_address, message, urgent, occurred_at)
       VALUES ($1, $2, $3, 'email', $4, '{"kind": "already_registered"}', true, now())`,
      [newId('del'), eventId, newId('usr'), email],
    );
    const killed = once(own.startProcess('notification.message.after-send'), 'exit');
    expect((await killed)[1]).toBe('SIGKILL');
    expect(mails.mailsTo(email)).toHaveLength(1);
    expect(await own.messagesOf(eventId)).toEqual([expect.objectContaining({ status: 'PENDING', tries: 1 })]);

    own.startProcess('');
    await own.makeDue(eventId);
    await eventually(async () => {
      expect(await own.messagesOf(eventId)).toEqual([expect.objectContaining({ status: 'SENT', tries: 2 })]);
    }, PATIENT);
    const ids = mails.mailsTo(email).map(({ messageId }) => messageId);
    expect(ids).toEqual([ids[0], ids[0]]);
  } finally {
    await own.stop();
  }
}, 600_000);
