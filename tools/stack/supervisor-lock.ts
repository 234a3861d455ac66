import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { codeOf } from '../servers/failure.ts';
import { readJson } from '../servers/files.ts';
import { isAlive, type ProcessRecord, recordOf } from '../servers/process.ts';
import type { StackPaths } from './paths.ts';

const lockFile = (paths: StackPaths): string => join(paths.home, 'supervisor.json');

/** The process that watches over this installation, when there is one. */
export const supervisorOf = (paths: StackPaths): ProcessRecord | undefined => {
  const holder = readJson<ProcessRecord>(lockFile(paths));
  return holder !== undefined && isAlive(holder) ? holder : undefined;
};

/**
 * Makes this process the installation's only supervisor. The lock is a file that names its holder and appears complete or
 * not at all (a hard link fails where something is); one whose holder is dead is taken away.
 *
 * @returns the process that already is, or undefined when we are it now
 */
export const becomeSupervisor = (paths: StackPaths): ProcessRecord | undefined => {
  mkdirSync(paths.home, { recursive: true });
  const file = lockFile(paths);
  const draft = `${file}.${String(process.pid)}.tmp`;
  writeFileSync(draft, JSON.stringify(recordOf(process.pid)), { mode: 0o600 });
  try {
    for (;;) {
      try {
        linkSync(draft, file);
        return undefined;
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
      const holder = supervisorOf(paths);
      if (holder !== undefined) return holder;
      rmSync(file, { force: true });
    }
  } finally {
    rmSync(draft, { force: true });
  }
};

export const resignAsSupervisor = (paths: StackPaths): void => {
  if (readJson<ProcessRecord>(lockFile(paths))?.pid === process.pid) rmSync(lockFile(paths), { force: true });
};
