import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { acquirerWebhookSchema } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { eventually } from '@payflow/testing';

import {
  authorization,
  cardNumbered,
  type ReceivedWebhook,
  RunningAcquirer,
  verify,
  WEBHOOK_SECRET,
  WebhookReceiver,
} from './running-acquirer.js';

const PENDING = cardNumbered('4000009900000079');
const AN_HOUR_MS = '3600000';
let sim: RunningAcquirer;
let receiver: WebhookReceiver;

const start = async (settings: Readonly<Record<string, string>> = {}): Promise<void> => {
  sim = await RunningAcquirer.start({
    PENDING_MS: '0',
    LATE_SUCCESS_MS: '0',
    WEBHOOK_URL: '{GATEWAY}/webhooks/psp/{acquirer}',
    GATEWAY_URL: receiver.url,
    WEBHOOK_SECRETS: JSON.stringify({ sim: WEBHOOK_SECRET }),
    WEBHOOK_RETRY_DELAYS_SECONDS: '0,0,0',
    ...settings,
  });
};

beforeEach(async () => {
  receiver = await WebhookReceiver.open();
});
afterEach(async () => {
  await receiver.close();
});

const arrived = async (reference: string, count: number): Promise<readonly ReceivedWebhook[]> =>
  await eventually(() => {
    expect(receiver.of(reference)).toHaveLength(count);
    return receiver.of(reference);
  });

/** Once the outbox holds nothing that is still to be sent. */
const allSent = async (): Promise<void> => {
  await eventually(async () => {
    expect(await sim.sql('SELECT FROM webhooks WHERE ended_at IS NULL')).toHaveLength(0);
  });
};

describe('a webhook', () => {
  beforeEach(async () => {
    await start();
  });
  afterEach(async () => {
    await sim.stop();
  });

  it.each([
    ['4000009900000079', 'approved'],
    ['4000009900000087', 'declined'],
    ['4000009900000061', 'approved'],
  ])('tells what came after the answer to card %s, signed, as the inquiry does', async (number, outcome) => {
    const request = authorization({ card: cardNumbered(number) });
    await sim.authorize(request);
    const [webhook] = await arrived(request.reference, 1);
    if (webhook === undefined) throw new Error('no webhook');
    expect(webhook.path).toBe('/webhooks/psp/sim');
    expect(verify(webhook)).toEqual(webhook.parsed);
    expect(acquirerWebhookSchema.parse(webhook.parsed).data).toMatchObject({ reference: request.reference, outcome });
    expect((await sim.inquire(request.reference)).body).toEqual(webhook.parsed.data);
    await allSent();
    expect(receiver.of(request.reference)).toHaveLength(1);
  });

  it('is wrongly signed for whoever changes a letter of it', async () => {
    const request = authorization({ card: PENDING });
    await sim.authorize(request);
    const [webhook] = await arrived(request.reference, 1);
    if (webhook === undefined) throw new Error('no webhook');
    expect(() => verify({ ...webhook, body: webhook.body.replace('approved', 'declined') })).toThrow(/signature/);
  });

  it('tells of a refund that fails after it was approved', async () => {
    const id = await sim.authorized({ card: cardNumbered('4000000000005126') });
    await sim.change(id, 'captures');
    const { body } = await sim.change(id, 'refunds');
    expect(body.outcome).toBe('approved');
    const [webhook] = await arrived(body.reference, 1);
    expect(webhook?.parsed.data).toMatchObject({ operation: 'refund', outcome: 'declined' });
  });

  it('is sent until it is accepted, with the same id', async () => {
    receiver.statuses.push(500, 404);
    const request = authorization({ card: PENDING });
    await sim.authorize(request);
    const webhooks = await arrived(request.reference, 3);
    expect(new Set(webhooks.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    await allSent();
    expect(await sim.sql('SELECT ended_as, attempts, last_status FROM webhooks')).toEqual([
      { ended_as: 'delivered', attempts: 3, last_status: 200 },
    ]);
  });

  it('is given up when its schedule is over', async () => {
    receiver.statuses.push(500, 500, 500, 500);
    const request = authorization({ card: PENDING });
    await sim.authorize(request);
    await arrived(request.reference, 4);
    await allSent();
    expect(await sim.sql('SELECT ended_as, attempts FROM webhooks')).toEqual([{ ended_as: 'given_up', attempts: 4 }]);
  });

  it('is not sent for what the answer has told, nor by an acquirer without a secret', async () => {
    await sim.authorize();
    const request = authorization({ card: PENDING });
    await sim.authorize(request, { acquirer: 'sim2' });
    await eventually(async () => expect((await sim.inquire(request.reference, 'sim2')).body.outcome).toBe('approved'));
    expect(await sim.sql('SELECT FROM webhooks')).toHaveLength(0);
  });

  it('is sent three times when a mode says so', async () => {
    const request = authorization();
    await sim.authorize(request, { mode: 'duplicate_webhooks' });
    const webhooks = await arrived(request.reference, 3);
    expect(new Set(webhooks.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    await allSent();
    expect(receiver.of(request.reference)).toHaveLength(3);
  });

  it('is replayed: once or often, a day late, or badly signed', async () => {
    const request = authorization({ card: PENDING });
    await sim.authorize(request);
    const [first] = await arrived(request.reference, 1);
    const replay = async (body: object) =>
      await sim.call<{ queued: number }>('POST', '/acquirers/sim/webhooks/replay', body);
    const { reference } = request;
    expect(await replay({ reference, times: 2 })).toMatchObject({ status: 202, body: { queued: 2 } });
    const again = await arrived(reference, 3);
    for (const { body, headers } of again) {
      expect(body).toBe(first?.body);
      expect(headers['webhook-id']).toBe(first?.headers['webhook-id']);
    }
    await replay({ reference, timestampOffsetSeconds: -86_400 });
    const late = (await arrived(reference, 4))[3];
    expect(() => late && verify(late)).toThrow(/too old/);
    await replay({ all: true, badSignature: true, shuffle: true });
    const bad = (await arrived(reference, 5))[4];
    expect(() => bad && verify(bad)).toThrow(/signature/);
    expect((await replay({ reference: newId('att') })).body.queued).toBe(0);
    expect((await replay({})).status).toBe(400);
    expect((await replay({ reference, all: true })).status).toBe(400);
  });
});

describe('webhooks for everything', () => {
  afterEach(async () => {
    await sim.stop();
  });

  it('are of each operation, once', async () => {
    await start({ WEBHOOKS_FOR_ALL: 'true' });
    const request = authorization();
    const { body } = await sim.authorize(request);
    await sim.authorize(request);
    const capture = await sim.change(body.authorizationId ?? '', 'captures');
    expect((await arrived(request.reference, 1))[0]?.parsed.data).toEqual(body);
    expect((await arrived(capture.body.reference, 1))[0]?.parsed.data).toEqual(capture.body);
    await allSent();
    expect(receiver.received).toHaveLength(2);
  });

  it('overtake each other when a mode says so: the later first', async () => {
    await start({ WEBHOOKS_FOR_ALL: 'true', WEBHOOK_HOLD_MS: AN_HOUR_MS });
    await sim.setMode({ mode: 'reordered_webhooks' });
    const { body } = await sim.authorize();
    const capture = await sim.change(body.authorizationId ?? '', 'captures');
    await allSent();
    expect(receiver.received.map(({ parsed }) => parsed.data.operation)).toEqual(['capture', 'authorize']);
    expect(receiver.received[0]?.parsed.data.reference).toBe(capture.body.reference);
  });

  it('that nothing overtakes go when they were held long enough', async () => {
    await start({ WEBHOOK_HOLD_MS: '100' });
    const request = authorization();
    await sim.authorize(request, { mode: 'reordered_webhooks' });
    await arrived(request.reference, 1);
  });
});

describe('a webhook in the outbox', () => {
  it('is sent by the process that comes next', async () => {
    const closed = receiver.url;
    await receiver.close();
    await start({ GATEWAY_URL: closed, WEBHOOK_RETRY_DELAYS_SECONDS: '3600' });
    try {
      const request = authorization({ card: PENDING });
      await sim.authorize(request);
      await eventually(async () =>
        expect(await sim.sql('SELECT attempts FROM webhooks WHERE send_at > now()')).toEqual([{ attempts: 1 }]),
      );
      receiver = await WebhookReceiver.open();
      await sim.restart({ GATEWAY_URL: receiver.url });
      await sim.sql('UPDATE webhooks SET send_at = now()');
      await arrived(request.reference, 1);
    } finally {
      await sim.stop();
    }
  });
});
