import { spawn } from 'node:child_process';
import { join } from 'node:path';

import { REPOSITORY } from '../stack/paths.ts';

/** `npm run audit`: folds histories with the services' own pure functions, taken from their sources, whatever is built. */
export const main = async (args: readonly string[]): Promise<void> => {
  const sources = [
    // kafkajs computes the wait of a request that is overdue.
    '--disable-warning=TimeoutNegativeWarning',
    '--conditions',
    'payflow-source',
    '--import',
    '@payflow/testing/typescript-hooks',
  ];
  const script = join(REPOSITORY, 'tools', 'audit', 'main.ts');
  const child = spawn(process.execPath, [...sources, script, ...args], { cwd: REPOSITORY, stdio: 'inherit' });
  // A Ctrl-C reaches the child by itself; we only outlive it to report its exit code.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      resolve(code ?? 1);
    });
  });
};
