import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, it } from '@jest/globals';

import { stackHome } from './stack.js';

const run = promisify(execFile);

describe('npm run demo', () => {
  it('shows every scenario what it should, a replayed dead letter, a challenge, a late success, the wallets and the way to the bank included (R-204)', async () => {
    const { stdout } = await run(process.execPath, [join(import.meta.dirname, '..', 'tools', 'demo.mjs')], {
      env: { ...process.env, NODE_OPTIONS: '', PAYFLOW_HOME: stackHome() },
    });
    expect(stdout).toContain('16 scenarios showed what they should');
  }, 900_000);
});
