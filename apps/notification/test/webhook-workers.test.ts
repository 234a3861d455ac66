import type { ServerResponse } from 'node:http';

import { newId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { eventually } from '@payflow/testing';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';

import { TakeEvents } from '../src/application/take-events.js';
import { answer, type Behaviour, Receiver } from './receiver.js';
import { PATIENT, WebhooksUnderTest } from './webhooks-under-test.js';

const EVENTS = 150;
const PER_ENDPOINT = 4;

let hooks: WebhooksUnderTest;
const receivers: Receiver[] = [];

beforeAll(async () => {
  hooks = await WebhooksUnderTest.start({
    instances: 2,
    environment: { WEBHOOK_ENDPOINT_CONCURRENCY: String(PER_ENDPOINT), WEBHOOK_TIMEOUT_MS: '60000' },
  });
});
afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.close();
});
afterAll(async () => {
  await hooks.stop();
});

const receiverWith = async (behaviour?: Behaviour): Promise<Receiver> => {
  const receiver = await Receiver.open(behaviour);
  receivers.push(receiver);
  return receiver;
};

it('two instances share the work: each webhook is sent once, and no more at a time than an endpoint is given', async () => {
  const receiver = await receiverWith();
  const merchant = hooks.merchant();
  const endpoint = await hooks.endpoint(merchant, receiver.url);
  const told = await hooks.payments(merchant.merchantId, EVENTS);
  await eventually(async () => {
    expect(await hooks.standings(endpoint.id)).toEqual({ DELIVERED: EVENTS });
  }, PATIENT);
  expect(receiver.counts).toEqual(Object.fromEntries(told.map((id) => [id, 1])));
  expect(receiver.concurrencyMax).toBeLessThanOrEqual(2 * PER_ENDPOINT);
}, 600_000);

it('ten endpoints that never answer delay nobody: the healthy one has everything before their first time-out', async () => {
  const silent = await Promise.all(Array.from({ length: 10 }, () => receiverWith(() => undefined)));
  const healthy = await receiverWith();
  const merchant = hooks.merchant();
  for (const { url } of silent) await hooks.endpoint(merchant, url);
  const endpoint = await hooks.endpoint(merchant, healthy.url);
  const told = await hooks.payments(merchant.merchantId, EVENTS);
  await eventually(async () => {
    expect(await hooks.standings(endpoint.id)).toEqual({ DELIVERED: EVENTS });
  }, PATIENT);
  // No try of the others has ended by now, or ever was more than their share.
  const [ended] = await hooks.database.query<{ failing: number }>(
    'SELECT count(*)::int AS failing FROM webhook_endpoints WHERE merchant_id = $1 AND failing_since IS NOT NULL',
    [merchant.merchantId],
  );
  expect(ended?.failing).toBe(0);
  expect(Object.keys(healthy.counts)).toHaveLength(told.length);
  for (const { received } of silent) expect(received.length).toBeLessThanOrEqual(2 * PER_ENDPOINT);
}, 600_000);

it('ten endpoints that accept slowly leave places for one that accepts quickly, however few there are', async () => {
  const crowded = await WebhooksUnderTest.start({
    environment: { WEBHOOK_CONCURRENCY: '24', WEBHOOK_ENDPOINT_CONCURRENCY: '8', WEBHOOK_TIMEOUT_MS: '60000' },
  });
  try {
    const held: ServerResponse[] = [];
    const slow = await Promise.all(Array.from({ length: 10 }, () => receiverWith((response) => held.push(response))));
    const quick = await receiverWith();
    const [merchant, other] = [crowded.merchant(), crowded.merchant()];
    const made = await Promise.all(slow.map(({ url }) => crowded.endpoint(merchant, url)));
    const endpoint = await crowded.endpoint(other, quick.url);
    await crowded.payments(merchant.merchantId, 8);
    await eventually(() => {
      for (const { received } of slow) expect(received.length).toBeGreaterThan(0);
    }, PATIENT);
    await crowded.payments(other.merchantId, 30);
    await eventually(async () => {
      expect(await crowded.standings(endpoint.id)).toEqual({ DELIVERED: 30 });
    }, PATIENT);
    // All that while none of the slow ones has answered.
    const answered = await crowded.database.query('SELECT FROM webhook_tries WHERE endpoint_id = ANY ($1::text[])', [
      made.map(({ id }) => id),
    ]);
    expect(answered).toEqual([]);
    for (const receiver of slow) receiver.behave(answer(200));
    for (const response of held) response.writeHead(200).end();
    await eventually(async () => {
      for (const { id } of made) expect(await crowded.standings(id)).toEqual({ DELIVERED: 8 });
    }, PATIENT);
  } finally {
    await crowded.stop();
  }
}, 600_000);

it('what the former address of an endpoint answers late says nothing of its new one', async () => {
  const held: ServerResponse[] = [];
  const [former, next] = [await receiverWith((response) => held.push(response)), await receiverWith()];
  const merchant = hooks.merchant();
  const endpoint = await hooks.endpoint(merchant, former.url);
  const [told = ''] = await hooks.payments(merchant.merchantId, 1);
  await eventually(() => {
    expect(held).toHaveLength(1);
  }, PATIENT);
  const path = `/webhook-endpoints/${endpoint.id}`;
  expect((await hooks.ask('PATCH', path, { as: merchant, body: { url: next.url } })).status).toBe(200);
  held[0]?.writeHead(410).end();
  await eventually(async () => {
    expect((await hooks.get(`${path}/deliveries`, merchant)).body['data'][0].tries).toContainEqual(
      expect.objectContaining({ number: 1, statusCode: 410 }),
    );
  }, PATIENT);
  expect((await hooks.get(path, merchant)).body).toMatchObject({ status: 'ENABLED', failingSince: null });
  // It is owed still, to where the endpoint is now.
  await eventually(async () => {
    await hooks.passTime(endpoint.id, 60);
    expect(await hooks.standings(endpoint.id)).toEqual({ DELIVERED: 1 });
  }, PATIENT);
  expect(next.counts).toEqual({ [told]: 1 });
}, 600_000);

it('one that is refused in a row is left alone for a while, and then asked with one at a time', async () => {
  const receiver = await receiverWith(answer(503));
  const merchant = hooks.merchant();
  const endpoint = await hooks.endpoint(merchant, receiver.url);
  await hooks.payments(merchant.merchantId, EVENTS);
  const paused = await eventually(async () => {
    const { body } = await hooks.get(`/webhook-endpoints/${endpoint.id}/statistics`, merchant);
    expect(body['pausedUntil']).not.toBeNull();
    return receiver.received.length;
  }, PATIENT);
  // What was under way when the breaker opened, and not all that is owed.
  expect(paused).toBeLessThan(EVENTS / 2);
  const seen = await eventually(async () => {
    await hooks.passTime(endpoint.id, 60);
    expect(receiver.received.length).toBeGreaterThan(paused + 2 * PER_ENDPOINT);
    return receiver.received.length;
  }, PATIENT);
  expect(seen).toBeLessThan(EVENTS);
  expect(await hooks.standings(endpoint.id)).toEqual({ PENDING: EVENTS });
}, 600_000);

it('killed after the receiver answered and before it was written down, it sends the same webhook once more', async () => {
  const crashing = await WebhooksUnderTest.start();
  try {
    const receiver = await receiverWith();
    const { id: endpointId } = await crashing.endpoint(crashing.merchant(), receiver.url);
    await crashing.stopInstances();
    const eventId = newId('evt');
    await crashing.owe(endpointId, eventId);
    const { killed } = crashing.startProcess('webhook.after-post');
    expect(await killed).toBe('SIGKILL');
    expect(receiver.counts).toEqual({ [eventId]: 1 });
    expect(await crashing.delivery(endpointId, eventId)).toMatchObject({ status: 'PENDING', tries: 0 });
    await crashing.endLease(endpointId);
    crashing.startProcess('');
    await eventually(async () => {
      expect(await crashing.delivery(endpointId, eventId)).toMatchObject({ status: 'DELIVERED', tries: 1 });
    }, PATIENT);
    expect(receiver.counts).toEqual({ [eventId]: 2 });
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
  } finally {
    await crashing.stop();
  }
}, 600_000);

it('takes in again what a crash has undone, at two instances at once too, and owes each event once', async () => {
  const receiver = await receiverWith();
  const merchant = hooks.merchant();
  const endpoint = await hooks.endpoint(merchant, receiver.url);
  const envelopes = hooks.begun(merchant.merchantId, 20);
  await expect(
    hooks.app.get(Database).transaction(async (tx) => {
      await hooks.app.get(TakeEvents).take(tx, envelopes);
      throw new Error('the process died here');
    }),
  ).rejects.toThrow('the process died here');
  // Inbox rows are forgotten one day, and a log may be read from its beginning: the events themselves are looked at too.
  await Promise.all([0, 1, 0, 1].map((instance) => hooks.take(envelopes, instance)));
  await eventually(async () => {
    expect(await hooks.standings(endpoint.id)).toEqual({ DELIVERED: 20 });
  }, PATIENT);
  expect(receiver.counts).toEqual(Object.fromEntries(envelopes.map(({ eventId }) => [eventId, 1])));
  const places = await hooks.database.query<{ places: number }>(
    'SELECT count(DISTINCT position)::int AS places FROM events WHERE merchant_id = $1',
    [merchant.merchantId],
  );
  expect(places).toEqual([{ places: 20 }]);
}, 600_000);

it('gives places in a feed in the order of commits: a reader who goes on from his cursor misses nothing', async () => {
  const merchant = hooks.merchant();
  const told: string[] = [];
  const read: string[] = [];
  let cursor = '0';
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let round = 0; round < 15; round += 1) {
      const envelopes = hooks.begun(merchant.merchantId, 3);
      told.push(...envelopes.map(({ eventId }) => eventId));
      await hooks.take(envelopes, writer % 2);
    }
  });
  const progress = { isWriting: true };
  const written = Promise.all(writers).then(() => {
    progress.isWriting = false;
  });
  for (let more = true; more;) {
    // Asked before the feed is: what the last of them wrote must still be read.
    const { isWriting } = progress;
    const { body } = await hooks.get(`/events?limit=7&cursor=${cursor}`, merchant);
    read.push(...(body['data'] as readonly { readonly id: string }[]).map(({ id }) => id));
    more = isWriting || cursor !== body['nextCursor'];
    cursor = String(body['nextCursor']);
  }
  await written;
  expect(read.toSorted()).toEqual(told.toSorted());
}, 600_000);
