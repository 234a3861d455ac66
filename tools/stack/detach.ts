import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Failure } from '../servers/failure.ts';
import { openLog, tailOf } from '../servers/process.ts';
import { REPOSITORY, type StackPaths } from './paths.ts';
import type { SupervisorMessage } from './supervisor.ts';

/** Starts a supervisor that outlives us, and returns when everything is ready. */
export const startDetached = async (
  paths: StackPaths,
  environment: NodeJS.ProcessEnv,
  write: (line: string) => void,
): Promise<void> => {
  const logFile = join(paths.logs, 'supervisor.log');
  const log = openLog(logFile);
  const child = spawn(process.execPath, [fileURLToPath(new URL('supervisor.ts', import.meta.url))], {
    cwd: REPOSITORY,
    env: environment,
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  // A Ctrl-C reaches us and not the supervisor, which is in a group of its own: we hand it on and wait for the orderly end.
  const handOn = (): void => {
    child.kill('SIGTERM');
  };
  process.on('SIGINT', handOn);
  process.on('SIGTERM', handOn);
  try {
    await new Promise<void>((resolve, reject) => {
      child.on('message', (message: SupervisorMessage) => {
        if (message.kind === 'line') write(message.text);
        if (message.kind === 'ready') resolve();
        if (message.kind === 'failed') reject(new Failure(message.message));
      });
      child.once('error', reject);
      child.once('exit', (code) => {
        reject(
          new Failure(
            code === 0
              ? 'Stopped before everything was ready.'
              : `The supervisor ended. ${logFile} ends:\n${tailOf(logFile)}`,
          ),
        );
      });
    });
  } finally {
    process.off('SIGINT', handOn);
    process.off('SIGTERM', handOn);
    if (child.connected) child.disconnect();
    child.unref();
  }
};
