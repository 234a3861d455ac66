import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { REPOSITORY } from '../stack/paths.ts';

/** `npm run generate`: the documents are made from the sources, whatever is built. */
export const main = (): void => {
  const sources = ['--conditions', 'payflow-source', '--import', '@payflow/testing/typescript-hooks'];
  const script = join(REPOSITORY, 'tools', 'generate', 'main.ts');
  const { status } = spawnSync(process.execPath, [...sources, script], { cwd: REPOSITORY, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
};
