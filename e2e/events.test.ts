import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TOPICS } from '@payflow/contracts';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { Kafka, logLevel } from 'kafkajs';

import { authorize, call, demo, eventually, newKey, newMerchant, type TestMerchant } from './stack.js';

interface Message {
  readonly topic: string;
  readonly key: string;
  readonly partition: number;
  readonly event: Readonly<Record<string, any>>;
}

const schemas = join(import.meta.dirname, '..', 'docs', 'events', 'schemas');
const ajv = new Ajv.default({ allowUnionTypes: true });
addFormats.default(ajv);
const validators = new Map(
  readdirSync(schemas).map((file) => [
    file.replace('.schema.json', ''),
    ajv.compile(JSON.parse(readFileSync(join(schemas, file), 'utf8')) as object),
  ]),
);

describe('what subscribers read on the topics', () => {
  const messages: Message[] = [];
  const kafka = () => new Kafka({ brokers: [demo().kafka], logLevel: logLevel.NOTHING });
  let merchant: TestMerchant;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    merchant = await newMerchant();
    const consumer = kafka().consumer({ groupId: `e2e-${newKey()}` });
    await consumer.connect();
    await consumer.subscribe({ topics: [...TOPICS.payment], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ topic, partition, message }) => {
        const text = message.value?.toString() ?? '';
        // Other tests of this suite put poison on the topics.
        if (text.startsWith('{'))
          messages.push({
            topic,
            partition,
            key: message.key?.toString() ?? '',
            event: JSON.parse(text) as Message['event'],
          });
        return Promise.resolve();
      },
    });
    stop = async () => await consumer.disconnect();
  });
  afterAll(async () => {
    await stop();
  });

  it('is each event of a payment once, in sequence over all topics, keyed by merchant, valid against the committed schema (R-106, R-107, R-109, R-111, R-117, R-118)', async () => {
    const { body: payment } = await authorize(merchant, { metadata: { orderId: 'ord_1' } });
    await call('POST', `/payments/${payment.paymentId}/capture`, { token: merchant.token, key: newKey(), body: {} });
    await call('POST', `/payments/${payment.paymentId}/refund`, {
      token: merchant.token,
      key: newKey(),
      body: { amount: 400 },
    });
    const own = await eventually(async () => {
      const found = messages.filter((message) => message.event['aggregateId'] === payment.paymentId);
      expect(found.length).toBeGreaterThanOrEqual(4);
      return await Promise.resolve(found);
    });
    const bySequence = own.sort((a, b) => a.event['sequence'] - b.event['sequence']);
    expect(bySequence.map(({ topic, event }) => [topic, event['sequence']])).toEqual([
      ['payment.created', 1],
      ['payment.authorized', 2],
      ['payment.captured', 3],
      ['payment.refunded', 4],
    ]);
    expect(new Set(own.map((message) => message.key))).toEqual(new Set([merchant.merchantId]));
    expect(new Set(own.map((message) => message.event['correlationId'])).size).toBe(3);
    for (const { event } of own) {
      const validate = validators.get(event['type']);
      expect(validate?.(event) || JSON.stringify(validate?.errors)).toBe(true);
      expect(event['payload']['metadata']).toEqual({ orderId: 'ord_1' });
    }
  });

  it('tells of a decline with its code (R-108)', async () => {
    const { body: payment } = await authorize(merchant, {
      paymentMethod: { type: 'card', card: { number: '4000000000000002', expMonth: 1, expYear: 2033, cvc: '123' } },
    });
    const failed = await eventually(async () => {
      const found = messages.filter(
        (message) => message.topic === 'payment.failed' && message.event['aggregateId'] === payment.paymentId,
      );
      expect(found).toHaveLength(1);
      return await Promise.resolve(found[0]);
    });
    expect(failed?.event['payload']).toMatchObject({ code: 'card_declined', declineCode: 'generic_decline' });
  });

  it('chains each topic by previousSequence, so that a subscriber to one topic can prove that nothing is missing', async () => {
    const { body: payment } = await authorize(merchant);
    for (const amount of [100, 200, 300])
      await call('POST', `/payments/${payment.paymentId}/capture`, {
        token: merchant.token,
        key: newKey(),
        body: { amount, final: false },
      });
    const captured = await eventually(async () => {
      const found = messages.filter(
        (message) => message.topic === 'payment.captured' && message.event['aggregateId'] === payment.paymentId,
      );
      expect(found).toHaveLength(3);
      return await Promise.resolve(found);
    });
    expect(captured.map(({ event }) => [event['previousSequence'], event['sequence']])).toEqual([
      [null, 3],
      [3, 4],
      [4, 5],
    ]);
  });

  it('parks and dead-letters what nobody can apply, without delaying the rest (R-115)', async () => {
    const producer = kafka().producer();
    await producer.connect();
    const poison = `this is not JSON ${newKey()}`;
    await producer.send({
      topic: 'payment.captured',
      acks: -1,
      messages: [{ key: merchant.merchantId, value: poison }],
    });
    await producer.disconnect();
    const { body: payment } = await authorize(merchant, { capture: true });
    expect((await call('GET', `/payments/${payment.paymentId}`, { token: merchant.token })).body).toMatchObject({
      ledgerBalance: 1000,
    });
    const { adminToken } = await import('./stack.js');
    const token = await adminToken();
    await eventually(async () => {
      const { body } = await call('GET', '/operations/ledger/dead-letters?status=open&limit=100', { token });
      const letter = body['data'].find((candidate: { body: string }) => candidate.body === poison);
      expect(letter).toMatchObject({
        topic: 'payment.captured',
        consumer: 'ledger.journal',
        attempts: expect.any(Number),
        reason: expect.any(String),
      });
    });
  });
});
