import { startDetached } from '../stack/detach.ts';
import { SERVICES } from '../stack/services.ts';
import { createRun, stackOf } from './runs.ts';

const ANY_PORT = '0';

/**
 * Starts the whole product for the system tests, in a state directory of its own and on free ports, beside whatever the
 * developer has running. PAYFLOW_E2E_HOME names a stack that already runs, and then that one is used and stays.
 */
export default async function setUp() {
  if (process.env.PAYFLOW_E2E_HOME) return;
  const run = process.env.PAYFLOW_TEST_RUN ?? (globalThis.payflowTestRun ??= await createRun());
  const paths = stackOf(run);
  // Without Jest's own flags, and without servers meant for `npm start`: an empty variable counts as unset.
  const environment = {
    ...process.env,
    NODE_OPTIONS: '',
    DATABASE_URL: '',
    KAFKA_BROKERS: '',
    // That the machine is busy is no reason to answer without the ledger's lines.
    LEDGER_WAIT_MS: '10000',
    // So small that a settlement of a few payments has a middle in which it can be killed.
    SETTLEMENT_CHUNK_LINES: '10',
  };
  const ports = SERVICES.map(({ portVariable }) => [portVariable, ANY_PORT]);
  await startDetached(paths, { ...environment, ...Object.fromEntries(ports), PAYFLOW_HOME: paths.home }, (line) =>
    process.stdout.write(`${line}\n`),
  );
  process.env.PAYFLOW_E2E_HOME = paths.home;
}
