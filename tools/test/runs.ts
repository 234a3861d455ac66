import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { readJson, writePrivateJson } from '../servers/files.ts';
import { eraseKafka } from '../servers/kafka.ts';
import { erasePostgres } from '../servers/postgres.ts';
import { isAlive, type ProcessRecord, recordOf } from '../servers/process.ts';
import { REPOSITORY, type StackPaths, stackPaths } from '../stack/paths.ts';
import { stopStack } from '../stack/stop.ts';

/** What one run of the tests starts lives in one directory, which names its owner: so that nothing is left of a run that was killed. */
const RUNS = join(REPOSITORY, '.payflow', 'test-runs');

export const createRun = async (): Promise<string> => {
  await sweepAbandonedRuns();
  const directory = mkdtempSync(join(RUNS, 'run-'));
  // Postgres may have to run as another user, who must be able to enter.
  chmodSync(directory, 0o755);
  writePrivateJson(join(directory, 'owner.json'), recordOf(process.pid));
  return directory;
};

export const serversOf = (run: string): string => join(run, 'servers');
export const stackOf = (run: string): StackPaths => stackPaths({ PAYFLOW_HOME: join(run, 'stack') });
/** Beside the stack that all system tests share: one for the test that breaks it. */
export const scratchStackBeside = (stackHome: string): StackPaths =>
  stackPaths({ PAYFLOW_HOME: join(dirname(stackHome), 'scratch-stack') });

/** Ends everything that was started for a run, and deletes its data. */
export const endRun = async (run: string): Promise<void> => {
  const shared = stackOf(run);
  for (const stack of [shared, scratchStackBeside(shared.home)]) await eraseStack(stack);
  const servers = serversOf(run);
  if (existsSync(servers)) {
    await eraseKafka(join(servers, 'kafka'));
    await erasePostgres(join(servers, 'postgres'));
  }
  rmSync(run, { recursive: true, force: true });
};

/** Ends a stack and deletes its data. */
export const eraseStack = async (stack: StackPaths): Promise<void> => {
  if (!existsSync(stack.home)) return;
  await stopStack(stack);
  await erasePostgres(stack.postgres);
  rmSync(stack.home, { recursive: true, force: true });
};

const sweepAbandonedRuns = async (): Promise<void> => {
  mkdirSync(RUNS, { recursive: true });
  for (const name of readdirSync(RUNS)) {
    const run = join(RUNS, name);
    const owner = readJson<ProcessRecord>(join(run, 'owner.json'));
    if (owner !== undefined && !isAlive(owner)) await endRun(run);
  }
};
