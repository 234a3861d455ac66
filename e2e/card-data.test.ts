import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { beforeAll, describe, expect, it } from '@jest/globals';
import { allTopics } from '@payflow/contracts';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';

import { authorize, call, cardNumbered, demo, newKey, newMerchant, stackHome } from './stack.js';

const run = promisify(execFile);

/** Each number in the spellings it could hide in: plain, spaced, hex, base64 (at any of its three alignments). */
const spellings = (number: string): readonly string[] => [
  number,
  number.replaceAll(/(.{4})(?=.)/g, '$1 '),
  number.replaceAll(/(.{4})(?=.)/g, '$1-'),
  Buffer.from(number).toString('hex'),
  ...[0, 1, 2].map((shift) =>
    Buffer.from('x'.repeat(shift) + number)
      .toString('base64')
      .slice(4, 20),
  ),
];

describe('card numbers stay in the vault (R-094, spec §5.8)', () => {
  let needles: readonly string[] = [];

  beforeAll(async () => {
    const { body } = await call<{ data: readonly { number: string }[] }>('GET', '/test-cards');
    const numbers = body.data.map((card) => card.number);
    expect(numbers.length).toBeGreaterThan(5);
    needles = numbers.flatMap(spellings);
    const merchant = await newMerchant();
    for (const number of numbers) {
      await authorize(merchant, { paymentMethod: { type: 'card', card: cardNumbered(number) } });
      await call('POST', '/tokens', {
        token: merchant.token,
        key: newKey(),
        body: { card: cardNumbered(number), reusable: true },
      });
    }
    // Where it does not belong: errors must not repeat it, logs must not keep it.
    for (const number of numbers.slice(0, 3)) {
      await authorize(merchant, { amount: number });
      await authorize(merchant, { paymentMethod: { type: 'card', card: { ...cardNumbered(number), extra: number } } });
      await call('POST', '/payments/authorize', { token: merchant.token, raw: `{"card": "${number}"` });
      for (const member of ['reference', 'description', 'userId', 'statementDescriptor'])
        await authorize(merchant, { [member]: number });
      await authorize(merchant, { metadata: { note: number } });
      await authorize(merchant, {}, number);
      await call('GET', '/payments', {
        token: merchant.token,
        headers: { 'x-request-id': number, 'user-agent': number },
      });
      await call('POST', '/auth/login', { body: { username: number, password: number } });
      await call('GET', `/payments/${number}`, { token: merchant.token });
      await call('GET', `/payments?reference=${number}`, { token: merchant.token });
    }
  }, 300_000);

  const found = (text: string): readonly string[] => needles.filter((needle) => text.includes(needle));

  it('and are in no database but the vault’s, and there only encrypted', async () => {
    const admin = new pg.Client({ connectionString: demo().postgres });
    await admin.connect();
    const { rows } = await admin.query<{ datname: string }>(
      `SELECT datname FROM pg_database WHERE datname LIKE 'payflow_%'`,
    );
    await admin.end();
    expect(rows.map((row) => row.datname)).toEqual(
      expect.arrayContaining([
        'payflow_payment',
        'payflow_tokenization',
        'payflow_ledger',
        'payflow_auth',
        'payflow_acquirer_sim',
      ]),
    );
    for (const { datname } of rows) {
      const url = new URL(demo().postgres);
      url.pathname = `/${datname}`;
      const database = new pg.Client({ connectionString: url.toString() });
      await database.connect();
      const tables = await database.query<{ name: string }>(
        `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
      );
      for (const { name } of tables.rows) {
        const content = await database.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
        expect({ datname, name, found: found(content.rows.map((row) => row.row).join('\n')) }).toEqual({
          datname,
          name,
          found: [],
        });
      }
      await database.end();
    }
  });

  it('and are on no topic', async () => {
    const kafka = new Kafka({ brokers: [demo().kafka], logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    const ends = new Map<string, number>();
    for (const topic of allTopics())
      for (const { partition, high, low } of await admin.fetchTopicOffsets(topic))
        if (Number(high) > Number(low)) ends.set(`${topic}/${partition}`, Number(high) - 1);
    await admin.disconnect();
    const consumer = kafka.consumer({ groupId: `card-search-${newKey()}` });
    await consumer.connect();
    await consumer.subscribe({ topics: [...allTopics()], fromBeginning: true });
    const hits: string[] = [];
    let read = 0;
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          eachMessage: async ({ topic, partition, message }) => {
            read += 1;
            const headers = Object.values(message.headers ?? {})
              .map(String)
              .join(' ');
            hits.push(...found(`${message.key?.toString()} ${message.value?.toString()} ${headers}`));
            if (Number(message.offset) >= (ends.get(`${topic}/${partition}`) ?? 0))
              ends.delete(`${topic}/${partition}`);
            if (ends.size === 0) resolve();
            return Promise.resolve();
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
    expect(read).toBeGreaterThan(10);
    expect(hits).toEqual([]);
  });

  it('and are in no log', () => {
    const logs = join(stackHome(), 'logs');
    const files = readdirSync(logs);
    expect(files).toEqual(
      expect.arrayContaining([
        expect.stringContaining('payment'),
        expect.stringContaining('tokenization'),
        expect.stringContaining('gateway'),
      ]),
    );
    for (const file of files)
      expect({ file, found: found(readFileSync(join(logs, file), 'utf8')) }).toEqual({ file, found: [] });
  });

  it('and are in no process’s arguments or environment', async () => {
    const { stdout } = await run('ps', ['axeww', '-o', 'args']);
    expect(found(stdout)).toEqual([]);
  });
});
