import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { isAlive, type ProcessRecord, signal, spawnDetached, waitForEnd } from '../servers/process.js';
import { Unit } from './unit.js';

const nothing = (): void => undefined;

describe('a process that is watched over', () => {
  let directory: string;
  let started: ProcessRecord[];
  let unit: Unit;

  const start = async (): Promise<ProcessRecord> => {
    const record = await spawnDetached({
      command: process.execPath,
      args: ['-e', 'setInterval(() => undefined, 1000)'],
      directory,
      env: process.env,
      logFile: join(directory, 'process.log'),
    });
    started.push(record);
    return record;
  };
  const kill = async (record: ProcessRecord): Promise<void> => {
    signal(record, 'SIGKILL');
    await waitForEnd(record, 10_000);
  };
  /** Watches as the supervisor does, until another process is there. */
  const untilSuccessor = async (before: ProcessRecord): Promise<void> => {
    while (unit.record.pid === before.pid) {
      unit.watch(nothing, nothing);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'payflow-unit-'));
    started = [];
    unit = new Unit({ name: 'sleeper', start, lastWords: () => '' }, await start());
  });
  afterEach(async () => {
    for (const record of started) await kill(record);
    rmSync(directory, { recursive: true, force: true });
  });

  it('is started again when it ends', async () => {
    const before = unit.record;
    await kill(before);
    await untilSuccessor(before);
    expect(isAlive(unit.record)).toBe(true);
    expect(unit.restarts).toBe(1);
  });

  it('stays ended while it is held, and is started again when it is released', async () => {
    const before = unit.record;
    await unit.hold();
    await kill(before);
    for (let look = 0; look < 10; look += 1) unit.watch(nothing, nothing);
    await unit.settled();
    expect(started).toHaveLength(1);
    unit.release();
    await untilSuccessor(before);
    expect(isAlive(unit.record)).toBe(true);
  });
});
