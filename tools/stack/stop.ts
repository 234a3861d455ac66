import { stopKafka } from '../servers/kafka.ts';
import { stopPostgres } from '../servers/postgres.ts';
import { endProcess, isAlive, signal, waitForEnd } from '../servers/process.ts';
import type { StackPaths } from './paths.ts';
import { readState, writeState } from './state.ts';
import { supervisorOf } from './supervisor-lock.ts';

const SUPERVISOR_GRACE_MS = 120_000;
const SERVICE_GRACE_MS = 28_000;

/**
 * Ends everything of this installation and returns when it is gone: through its supervisor, which knows the order, or by
 * ourselves where it died.
 *
 * @returns the names of what was ended
 */
export const stopStack = async (paths: StackPaths): Promise<readonly string[]> => {
  const before = readState(paths);
  const { postgres, kafka, services } = before;
  const running = [
    ...Object.entries(services),
    ...(kafka?.process === undefined ? [] : [['kafka', kafka.process] as const]),
    ...(postgres?.process === undefined ? [] : [['postgres', postgres.process] as const]),
  ].filter(([, record]) => isAlive(record));

  const supervisor = supervisorOf(paths);
  if (supervisor !== undefined) {
    signal(supervisor, 'SIGTERM');
    if (!(await waitForEnd(supervisor, SUPERVISOR_GRACE_MS))) await endProcess(supervisor, 'SIGKILL', SERVICE_GRACE_MS);
  }
  // What is left when there was no supervisor, or when it could not finish.
  const left = Object.entries(readState(paths).services);
  for (const group of [left.filter(([name]) => name === 'gateway'), left.filter(([name]) => name !== 'gateway')]) {
    await Promise.all(group.map(([, record]) => endProcess(record, 'SIGTERM', SERVICE_GRACE_MS)));
  }
  await stopKafka(paths.kafka);
  await stopPostgres(paths.postgres);
  if (running.length > 0 || supervisor !== undefined) writeState(paths, { services: {} });
  return [...(supervisor === undefined ? [] : ['supervisor']), ...running.map(([name]) => name)];
};
