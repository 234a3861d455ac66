import { createRun, serversOf } from './runs.ts';
import { standingTestServers, startTestServers } from './servers.ts';

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
  const run = await createRun();
  globalThis.payflowTestRun = run;
  return await startTestServers(serversOf(run));
};
