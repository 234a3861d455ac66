import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { Failure } from '../servers/failure.ts';
import { readJson } from '../servers/files.ts';
import { startDetached } from '../stack/detach.ts';
import { REPOSITORY, stackPaths } from '../stack/paths.ts';
import { SERVICES } from '../stack/services.ts';
import { type DemoFile } from '../stack/state.ts';
import { stopStack } from '../stack/stop.ts';
import { supervisorOf } from '../stack/supervisor-lock.ts';

/**
 * Runs `work` on the stack that PAYFLOW_HOME names, or else on one of its own: with empty databases, on free ports, in the
 * default configuration, stopped and deleted afterwards.
 */
export const onStack = async (
  environment: NodeJS.ProcessEnv,
  progress: (line: string) => void,
  work: (stack: DemoFile) => Promise<void>,
): Promise<void> => {
  if (environment['PAYFLOW_HOME']) {
    const paths = stackPaths(environment);
    if (supervisorOf(paths) === undefined) {
      throw new Failure(`PAYFLOW_HOME is ${paths.home}, where nothing runs. Start it, or unset the variable.`);
    }
    await work(demoFileIn(paths.demo));
    return;
  }
  const home = join(REPOSITORY, '.payflow', 'bench');
  const paths = stackPaths({ PAYFLOW_HOME: home });
  if (supervisorOf(paths) !== undefined)
    throw new Failure('Another benchmark runs here: its figures and ours would suffer.');
  await stopStack(paths);
  rmSync(home, { recursive: true, force: true });
  try {
    await startDetached(paths, ownEnvironment(environment, home), progress);
    await work(demoFileIn(paths.demo));
  } finally {
    await stopStack(paths);
    rmSync(home, { recursive: true, force: true });
  }
};

const ownEnvironment = (environment: NodeJS.ProcessEnv, home: string): NodeJS.ProcessEnv => ({
  ...environment,
  ...Object.fromEntries(SERVICES.map(({ portVariable }) => [portVariable, '0'])),
  PAYFLOW_HOME: home,
  // Servers meant for `npm start`, and a test run's own flags: an empty variable counts as unset.
  DATABASE_URL: '',
  KAFKA_BROKERS: '',
  NODE_OPTIONS: '',
});

const demoFileIn = (path: string): DemoFile => {
  const demo = readJson<DemoFile>(path);
  if (demo === undefined) throw new Failure(`${path} is missing, although the stack runs.`);
  return demo;
};
