import { chmodSync, mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';

import { standingTestServers, startTestServers, STANDING_SERVERS } from './servers.ts';

/**
 * Jest runs this once before the tests that need servers. Servers named in the environment come first, then the pair that
 * `node tools/test/servers.ts up` left running, then a pair of our own, which global-teardown.mjs ends.
 */
export default async function setUp() {
  if (process.env.PAYFLOW_TEST_DATABASE_URL && process.env.PAYFLOW_TEST_KAFKA_BROKERS) return;
  const servers = standingTestServers() ?? (await startOwn());
  process.env.PAYFLOW_TEST_DATABASE_URL = servers.databaseUrl;
  process.env.PAYFLOW_TEST_KAFKA_BROKERS = servers.kafkaBrokers;
}

const startOwn = async () => {
  const runs = join(STANDING_SERVERS, '..', 'test-runs');
  mkdirSync(runs, { recursive: true });
  const directory = mkdtempSync(join(runs, 'run-'));
  // Postgres may have to run as another user, who must be able to enter.
  chmodSync(directory, 0o755);
  globalThis.payflowTestServersDirectory = directory;
  return await startTestServers(directory);
};
