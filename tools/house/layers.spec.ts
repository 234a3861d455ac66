import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');

/** A violation of each rule of the house, and the rule that must catch it. The Nx rule switches itself off silently when it has no project graph: hence this test. */
const PLANTED = [
  {
    at: 'apps/payment/src/domain/planted-import.ts',
    code: `import { commit } from '../application/commit.js';\nexport const planted = commit;\n`,
    rule: 'no-restricted-imports',
  },
  {
    at: 'apps/payment/src/domain/planted-node.ts',
    code: `import { readFileSync } from 'node:fs';\nexport const planted = readFileSync;\n`,
    rule: 'no-restricted-imports',
  },
  {
    at: 'apps/payment/src/domain/planted-clock.ts',
    code: `export const planted = (): number => Date.now();\n`,
    rule: 'no-restricted-properties',
  },
  {
    at: 'apps/payment/src/domain/planted-now.ts',
    code: `export const planted = (): Date => new Date();\n`,
    rule: 'no-restricted-syntax',
  },
  {
    at: 'apps/payment/src/domain/planted-random.ts',
    code: `export const planted = (): number => Math.random();\n`,
    rule: 'no-restricted-properties',
  },
  {
    at: 'apps/payment/src/domain/planted-id.ts',
    code: `import { newId } from '@payflow/kernel';\nexport const planted = (): string => newId('pay');\n`,
    rule: 'no-restricted-imports',
  },
  {
    at: 'apps/payment/src/domain/planted-throw.ts',
    code: `export const planted = (): never => {\n  throw new Error('no');\n};\n`,
    rule: 'no-restricted-syntax',
  },
  {
    at: 'apps/payment/src/domain/planted-process.ts',
    code: `export const planted = process.env['HOME'];\n`,
    rule: 'no-restricted-globals',
  },
  {
    at: 'libs/kernel/src/planted-timer.ts',
    code: `export const planted = (): unknown => setTimeout(() => undefined, 1);\n`,
    rule: 'no-restricted-globals',
  },
  {
    at: 'libs/kernel/src/planted-up.ts',
    code: `import { PROBLEMS } from '@payflow/contracts';\nexport const planted = PROBLEMS;\n`,
    rule: '@nx/enforce-module-boundaries',
  },
  {
    at: 'libs/postgres/src/planted-up.ts',
    code: `import { Outbox } from '@payflow/messaging';\nexport const planted = Outbox;\n`,
    rule: '@nx/enforce-module-boundaries',
  },
  {
    at: 'apps/payment/src/store/planted-up.ts',
    code: `import { planted as other } from '../http/planted-target.js';\nexport const planted = other;\n`,
    rule: 'no-restricted-imports',
  },
  {
    at: 'apps/payment/src/planted-app.ts',
    code: `import { planted as other } from '../../ledger/src/planted-target.js';\nexport const planted = other;\n`,
    rule: '@nx/enforce-module-boundaries',
  },
  {
    at: 'apps/payment/src/planted-testing.ts',
    code: `import { TokenMint } from '@payflow/testing';\nexport const planted = TokenMint;\n`,
    rule: '@nx/enforce-module-boundaries',
  },
  {
    at: 'apps/payment/src/planted-kafka.ts',
    code: `import { Kafka } from 'kafkajs';\nexport const planted = Kafka;\n`,
    rule: 'no-restricted-imports',
  },
  {
    at: 'apps/payment/src/planted-promise.ts',
    code: `const pay = async (): Promise<void> => Promise.resolve();\nexport const planted = (): void => {\n  pay();\n};\n`,
    rule: '@typescript-eslint/no-floating-promises',
  },
  {
    at: 'apps/payment/src/planted-cycle-a.ts',
    code: `import { b } from './planted-cycle-b.js';\nexport const a = (): unknown => b;\n`,
    rule: 'import-x/no-cycle',
  },
  {
    at: 'apps/payment/src/planted-cycle-b.ts',
    code: `import { a } from './planted-cycle-a.js';\nexport const b = (): unknown => a;\n`,
    rule: 'import-x/no-cycle',
  },
  { at: 'apps/payment/src/http/planted-target.ts', code: `export const planted = 1;\n`, rule: null },
  { at: 'apps/ledger/src/planted-target.ts', code: `export const planted = 1;\n`, rule: null },
] as const;

interface LintedFile {
  readonly filePath: string;
  readonly messages: readonly { readonly ruleId: string | null }[];
}

const removePlanted = async (): Promise<void> => {
  await Promise.all(PLANTED.map((planted) => rm(join(root, planted.at), { force: true })));
};

describe('the house rules', () => {
  let linted: readonly LintedFile[] = [];

  beforeAll(async () => {
    for (const planted of PLANTED) {
      await mkdir(dirname(join(root, planted.at)), { recursive: true });
      await writeFile(join(root, planted.at), planted.code);
    }
    const env = { ...process.env, NODE_OPTIONS: '', NX_DAEMON: 'false' };
    // The Nx rule is skipped with a mere warning until the project graph has been made.
    await run(process.execPath, ['node_modules/nx/dist/bin/nx.js', 'show', 'projects'], { cwd: root, env });
    const eslint = await run(
      process.execPath,
      ['node_modules/eslint/bin/eslint.js', '--format', 'json', ...PLANTED.map((planted) => planted.at)],
      {
        cwd: root,
        env,
        maxBuffer: 16 * 1024 * 1024,
      },
    ).catch((error: unknown) => error as { stdout: string });
    linted = JSON.parse(eslint.stdout) as readonly LintedFile[];
  }, 180_000);

  afterAll(removePlanted);

  it.each(PLANTED.filter((planted) => planted.rule !== null))('catch $at by $rule', ({ at, rule }) => {
    const file = linted.find((candidate) => candidate.filePath === join(root, at));
    expect(file?.messages.map((message) => message.ruleId)).toContain(rule);
  });
});
