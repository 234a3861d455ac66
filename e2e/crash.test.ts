import { beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';

import { approvedIn, bookOf } from './acquirer.js';
import {
  type Answer,
  call,
  CARD_OK,
  cardNumbered,
  demo,
  eventually,
  newKey,
  newMerchant,
  type TestMerchant,
} from './stack.js';

const CLIENTS = 8;
const PAYMENTS_PER_CLIENT = 12;
const TRIES_MAX = 200;
const RETRY_PAUSE_MS = 250;

interface JournalLine {
  readonly key: string;
  readonly paymentId: string;
  readonly captured: number;
}

/**
 * Repeats the request with its key until an answer is final, as the docs tell callers to: connection errors, 409 in use,
 * 429, 5xx. After a 202 the payment is polled.
 */
const untilAnswered = async (path: string, token: string, key: string, body: unknown): Promise<Answer<any>> => {
  for (let attempt = 1; attempt <= TRIES_MAX; attempt += 1) {
    const answer = await call<any>('POST', path, { token, key, body }).catch(() => undefined);
    if (answer?.status === 202) return await untilSettled(answer.body.paymentId, token);
    const again =
      answer === undefined ||
      answer.status >= 500 ||
      answer.status === 429 ||
      answer.body.code === 'idempotency_key_in_use';
    if (!again) return answer;
    await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS));
  }
  throw new Error(`no final answer for ${path} ${key}`);
};

/** Nobody guesses after silence: the payment is PROCESSING until recovery has heard from the acquirer. */
const untilSettled = async (paymentId: string, token: string): Promise<Answer<any>> =>
  await eventually(async () => {
    const read = await call('GET', `/payments/${paymentId}`, { token });
    expect(read.status).toBe(200);
    expect(read.body['status']).not.toBe('PROCESSING');
    return read;
  });

const killService = (name: string): void => {
  const pid = demo().pids[name];
  if (pid === undefined) throw new Error(`no pid of ${name}`);
  process.kill(pid, 'SIGKILL');
};

/** The lease of the request that died, and an inquiry. */
const RESOLVED_TIMEOUT_MS = 240_000;

const restarted = async (name: string, before: number | undefined): Promise<void> => {
  await eventually(async () => {
    const pid = demo().pids[name];
    expect(pid).not.toBe(before);
    const health = await fetch(`${demo().gateway}/health/ready`);
    expect(health.status).toBe(200);
  });
};

describe('kill -9 of payment while the acquirer is silent', () => {
  it.each([
    ['4000009900000012', 'with effect'],
    ['4000009900000020', 'without effect'],
  ])(
    '%s, %s: AUTHORIZED with one charge in the book, without help',
    async (number) => {
      const merchant = await newMerchant();
      const reference = newKey();
      const order = {
        amount: 1000,
        currency: 'USD',
        reference,
        paymentMethod: { type: 'card', card: cardNumbered(number) },
      };
      const before = demo().pids['payment'];
      const answer = call('POST', '/payments/authorize', { token: merchant.token, key: newKey(), body: order });
      const paymentId = await eventually(async () => {
        const { body } = await call('GET', `/payments?reference=${reference}`, { token: merchant.token });
        expect(body['data']).toHaveLength(1);
        return String(body['data'][0].paymentId);
      });
      process.kill(before ?? 0, 'SIGKILL');
      expect((await answer).status).toBe(503);
      await restarted('payment', before);
      await eventually(async () => {
        const { body } = await call('GET', `/payments/${paymentId}`, { token: merchant.token });
        expect(body).toMatchObject({ status: 'AUTHORIZED', authorizedAmount: 1000 });
      }, RESOLVED_TIMEOUT_MS);
      expect(approvedIn(await bookOf(paymentId), 'authorize')).toBe(1);
    },
    600_000,
  );
});

describe('kill -9 of payment, tokenization and ledger, one after the other, under 8 clients that retry with their keys', () => {
  let merchant: TestMerchant;
  const journal: JournalLine[] = [];

  beforeAll(async () => {
    merchant = await newMerchant();
    const client = async (): Promise<void> => {
      for (let index = 0; index < PAYMENTS_PER_CLIENT; index += 1) {
        const key = newKey();
        const body = { amount: 1000, currency: 'USD', reference: key, paymentMethod: { type: 'card', card: CARD_OK } };
        const authorized = await untilAnswered('/payments/authorize', merchant.token, key, body);
        expect(authorized.body).toMatchObject({ status: 'AUTHORIZED' });
        const captured = await untilAnswered(
          `/payments/${authorized.body.paymentId}/capture`,
          merchant.token,
          `${key}-capture`,
          {},
        );
        journal.push({ key, paymentId: authorized.body.paymentId, captured: captured.body.capturedAmount });
      }
    };
    const killer = async (): Promise<void> => {
      for (const name of ['payment', 'tokenization', 'ledger']) {
        const seen = journal.length;
        // Only into running traffic: wait until some more payments are through.
        await eventually(async () => {
          expect(journal.length).toBeGreaterThan(Math.min(seen + CLIENTS, CLIENTS * PAYMENTS_PER_CLIENT - 1));
          await Promise.resolve();
        });
        const before = demo().pids[name];
        killService(name);
        await restarted(name, before);
      }
    };
    await Promise.all([...Array.from({ length: CLIENTS }, client), killer()]);
  }, 900_000);

  it('leaves every 2xx in place, one payment for each key, one capture in the ledger and one in the acquirer’s book', async () => {
    expect(journal).toHaveLength(CLIENTS * PAYMENTS_PER_CLIENT);
    expect(new Set(journal.map((line) => line.paymentId)).size).toBe(journal.length);
    for (const { key, paymentId, captured } of journal) {
      expect(captured).toBe(1000);
      const { body: payment } = await call('GET', `/payments/${paymentId}`, { token: merchant.token });
      expect(payment).toMatchObject({ status: 'CAPTURED', capturedAmount: 1000, ledgerBalance: 1000 });
      expect(payment['ledgerEntries'].filter((entry: { type: string }) => entry.type === 'CAPTURE')).toHaveLength(1);
      expect((await call('GET', `/payments?reference=${key}`, { token: merchant.token })).body['data']).toHaveLength(1);
      const book = await bookOf(paymentId);
      expect(book.filter(({ operation, outcome }) => operation === 'capture' && outcome === 'approved')).toHaveLength(
        1,
      );
      expect(book.filter(({ operation, outcome }) => operation === 'authorize' && outcome === 'approved')).toHaveLength(
        1,
      );
    }
  }, 400_000);

  it('leaves no payment without a key of the journal', async () => {
    let cursor: string | null = null;
    const keys: string[] = [];
    do {
      const page: Answer<any> = await call('GET', `/payments?limit=100${cursor === null ? '' : `&cursor=${cursor}`}`, {
        token: merchant.token,
      });
      keys.push(...page.body.data.map((payment: { reference: string }) => payment.reference));
      cursor = page.body.nextCursor;
    } while (cursor !== null);
    expect(keys.sort()).toEqual(journal.map((line) => line.key).sort());
  });
});

describe('the broker killed and gone', () => {
  const BROKER_GONE_MS = 15_000;

  it('fails no payment, and afterwards everything is published', async () => {
    const merchant = await newMerchant();
    const before = demo().pids['kafka'];
    if (before === undefined) throw new Error('no pid of kafka');
    // Stopped, not killed: the supervisor restarts what dies, and a broker that is there and silent is the harder case.
    process.kill(before, 'SIGSTOP');
    const paymentIds: string[] = [];
    try {
      const end = Date.now() + BROKER_GONE_MS;
      while (Date.now() < end) {
        const sale = await call('POST', '/payments/authorize', {
          token: merchant.token,
          key: newKey(),
          body: { amount: 1000, currency: 'USD', capture: true, paymentMethod: { type: 'card', card: CARD_OK } },
        });
        expect(sale.body).toMatchObject({ status: 'CAPTURED' });
        paymentIds.push(sale.body['paymentId'] as string);
        const read = await call('GET', `/payments/${sale.body['paymentId']}`, { token: merchant.token });
        expect(read.body).toMatchObject({ ledgerBalance: 1000 });
      }
    } finally {
      process.kill(before, 'SIGKILL');
    }
    await eventually(async () => {
      expect(demo().pids['kafka']).not.toBe(before);
      await Promise.resolve();
    });
    // It has a process again, which answers when it has read its logs.
    const retry = { retries: 30, maxRetryTime: 5_000 };
    const consumer = new Kafka({ brokers: [demo().kafka], logLevel: logLevel.NOTHING, retry }).consumer({
      groupId: `e2e-${newKey()}`,
    });
    await consumer.connect();
    await consumer.subscribe({ topics: ['payment.captured'], fromBeginning: true });
    const seen = new Set<string>();
    await consumer.run({
      eachMessage: async ({ message }) => {
        const text = message.value?.toString() ?? '';
        if (text.startsWith('{')) seen.add((JSON.parse(text) as { aggregateId: string }).aggregateId);
        return Promise.resolve();
      },
    });
    await eventually(async () => {
      expect(paymentIds.filter((paymentId) => !seen.has(paymentId))).toEqual([]);
      await Promise.resolve();
    });
    await consumer.disconnect();
  }, 600_000);
});
