import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { REPOSITORY } from '../stack/paths.ts';

/** `npm run sim`: the product's sources are simulated, whatever is built. */
export const main = (args: readonly string[]): void => {
  const sources = ['--conditions', 'payflow-source', '--import', '@payflow/testing/typescript-hooks'];
  const script = join(REPOSITORY, 'tools', 'sim', 'main.ts');
  const { status } = spawnSync(process.execPath, [...sources, script, ...args], { cwd: REPOSITORY, stdio: 'inherit' });
  process.exitCode = status ?? 1;
};
