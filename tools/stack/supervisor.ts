import { Failure, messageOf } from '../servers/failure.ts';
import { stackPaths } from './paths.ts';
import { Progress } from './progress.ts';
import { settingsFrom } from './settings.ts';
import { supervise } from './supervise.ts';

/**
 * The supervisor that `npm start -- --detach` leaves behind: it tells its starter what happens until everything is ready,
 * and its log file after that.
 */
export type SupervisorMessage =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string };

const tell = (message: SupervisorMessage): void => {
  // The starter may be gone by now; what happens is then for the log alone.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
};

const progress = new Progress((text) => {
  process.stdout.write(`${new Date().toISOString()} ${text}\n`);
  tell({ kind: 'line', text });
});

try {
  await supervise(stackPaths(process.env), settingsFrom(process.env), progress, () => {
    tell({ kind: 'ready' });
  });
} catch (error) {
  process.stdout.write(
    `${error instanceof Failure ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
  );
  tell({ kind: 'failed', message: messageOf(error) });
  process.exitCode = 1;
} finally {
  if (process.connected) process.disconnect();
}
