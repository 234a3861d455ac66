import { join } from 'node:path';

import pc from 'picocolors';

import { run } from '../servers/run.ts';
import { REPOSITORY } from '../stack/paths.ts';

interface Check {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** What to do about it, in a word. */
  readonly cure: string;
}

const binary = (path: string): string => join(REPOSITORY, 'node_modules', path);

const CHECKS: readonly Check[] = [
  {
    name: 'format (Prettier)',
    program: binary('prettier/bin/prettier.cjs'),
    args: ['--check', '--log-level=warn', '.'],
    cure: 'npx prettier --write .',
  },
  {
    name: 'types (tsc)',
    program: binary('typescript/bin/tsc'),
    args: ['--project', 'tsconfig.json', '--pretty'],
    cure: '',
  },
  {
    name: 'lint (ESLint)',
    program: binary('eslint/bin/eslint.js'),
    args: ['--max-warnings=0', '--color', '.'],
    cure: 'npx eslint --fix .',
  },
];

/** Format, types, lint, one after the other, each to its end. @returns how many of them failed */
export const runChecks = async (say: (line: string) => void): Promise<number> => {
  const env = {
    ...process.env,
    NX_DAEMON: 'false',
    NX_ISOLATE_PLUGINS: 'false',
    FORCE_COLOR: pc.isColorSupported ? '1' : '0',
  };
  // ESLint's layer rule reads Nx's project graph from the cache, and merely warns when it is not there.
  const graph = await run(process.execPath, [binary('nx/dist/bin/nx.js'), 'show', 'projects'], {
    directory: REPOSITORY,
    env,
  });
  if (graph.status !== 0) {
    say(`${pc.red('✗')} project graph (Nx)\n${graph.output}`);
    return 1;
  }
  let failures = 0;
  for (const check of CHECKS) {
    const start = performance.now();
    const { status, output } = await run(
      process.execPath,
      ['--max-old-space-size=4096', check.program, ...check.args],
      {
        directory: REPOSITORY,
        env,
      },
    );
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    if (status === 0) {
      say(`${pc.green('✓')} ${check.name} ${pc.dim(`${seconds} s`)}`);
    } else {
      failures += 1;
      say(
        `${pc.red('✗')} ${check.name}\n${output.trimEnd()}${check.cure === '' ? '' : `\n  often cured by: ${check.cure}`}`,
      );
    }
  }
  return failures;
};
