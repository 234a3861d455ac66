import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@payflow/testing';

import { type Bench, createBench, newAggregate, outgoing } from './support.js';

const CRASH_POINTS = [
  'relay.after-select',
  'relay.after-send-before-ack',
  'relay.after-ack-before-mark',
  'relay.after-mark',
  'consumer.after-inbox-insert',
  'consumer.after-effect',
  'consumer.before-commit',
  'consumer.after-commit',
  'consumer.before-offset-commit',
  'retry.after-effect',
];
const EVENTS_EACH = 6;

let bench: Bench;

beforeAll(async () => {
  bench = await createBench();
}, 60_000);

afterAll(async () => {
  await bench.close();
}, 60_000);

const startWorker = (crash: string): ChildProcess =>
  spawn(
    process.execPath,
    [
      '--conditions=payflow-source',
      '--import',
      '@payflow/testing/typescript-hooks',
      fileURLToPath(new URL('crash-worker.ts', import.meta.url)),
    ],
    {
      env: {
        ...process.env,
        NODE_OPTIONS: '--no-warnings',
        DATABASE_URL: bench.url,
        BROKERS: bench.brokers.join(','),
        PREFIX: bench.prefix,
        PAYFLOW_CRASH: crash,
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );

describe('a process that is killed', () => {
  it('at any step of relaying and consuming loses, doubles and reorders nothing', async () => {
    const publisher = bench.messaging();
    await publisher.cluster.ensureTopics();
    const aggregates = Array.from({ length: 8 }, newAggregate);
    for (const crash of CRASH_POINTS) {
      for (let count = 0; count < EVENTS_EACH; count += 1)
        await bench.database.transaction((tx) =>
          publisher.outbox.publish(
            tx,
            aggregates.map((id) => outgoing(id)),
          ),
        );
      const [, signal] = (await once(startWorker(crash), 'exit')) as [number | null, NodeJS.Signals | null];
      expect([crash, signal]).toEqual([crash, 'SIGKILL']);
    }
    const survivor = startWorker('');
    try {
      const last = CRASH_POINTS.length * EVENTS_EACH;
      await eventually(
        async () => {
          expect(await bench.effects('test.crash')).toHaveLength(last * aggregates.length);
        },
        { timeoutMs: 120_000 },
      );
      const effects = await bench.effects('test.crash');
      for (const aggregateId of aggregates)
        expect(effects.filter((one) => one.aggregateId === aggregateId).map(({ sequence }) => sequence)).toEqual(
          Array.from({ length: last }, (_, index) => index + 1),
        );
      expect(await bench.database.query('SELECT 1 FROM outbox WHERE published_at IS NULL')).toEqual([]);
      expect(await bench.database.query('SELECT 1 FROM parked')).toEqual([]);
      expect(await bench.database.query('SELECT 1 FROM dead_letters')).toEqual([]);
    } finally {
      survivor.kill('SIGTERM');
      await once(survivor, 'exit');
    }
  }, 400_000);
});
