/** A service in a process of its own, to be killed: publishes, relays, consumes, as the environment says. */
import { Database } from '@payflow/postgres';
import { Registry } from 'prom-client';

import { Messaging } from '../src/index.js';
import { FAST, recorder, testLogger } from './support.js';

const { DATABASE_URL: url = '', BROKERS: brokers = '', PREFIX: topicPrefix = '' } = process.env;
const failures = new Map<string, number>();

const database = await Database.connect({ url, applicationName: 'crash-worker', poolSizeMax: 8 });
const messaging = new Messaging({
  service: 'tokenization',
  brokers: brokers.split(','),
  database,
  logger: testLogger,
  registry: new Registry(),
  ownerUrls: {},
  serviceToken: () => Promise.resolve('none'),
  settings: { ...FAST, topicPrefix, retryTriesMax: 50, retryLeaseMs: 500 },
});
messaging.subscribe(
  recorder('test.crash', {
    before: ({ envelope }) => {
      // Every fifth event fails at first, so that parking and retries take part.
      const count = (failures.get(envelope.eventId) ?? 0) + 1;
      failures.set(envelope.eventId, count);
      if (envelope.sequence % 5 === 0 && count <= 2) throw new Error('not yet');
    },
  }),
);
messaging.start();
process.once('SIGTERM', () => {
  void messaging.stop().then(async () => {
    await database.close();
    process.exit(0);
  });
});
