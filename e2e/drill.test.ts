import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const run = promisify(execFile);

/** Two minutes of faults and what follows: starting a stack, and convergence after the last round. */
const LIMIT_MS = 1_800_000;

describe('npm run drill', () => {
  let directory: string;
  let report = '';

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'payflow-drill-'));
    const file = join(directory, 'report.md');
    const program = join(import.meta.dirname, '..', 'tools', 'drill.mjs');
    // It ends with an error when anything is lost, doubled, or does not converge; what it said is then the message.
    await run(process.execPath, [program, '--seed', '4711', '--minutes', '2', '--report', file], {
      env: { ...process.env, NODE_OPTIONS: '' },
    }).catch((error: unknown) => {
      const { stdout = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string };
      throw new Error(`the drill failed:\n${stdout}\n${stderr}`);
    });
    report = readFileSync(file, 'utf8');
  }, LIMIT_MS);

  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it('loses nothing and doubles nothing while processes are killed and connections are cut, and converges (R-165)', () => {
    expect(report).toContain('**Passed**: 0 lost, 0 doubled, 0 unasked, 0 apart, converged after every round.');
  });

  it('has tried crash points and faults from outside, under load', () => {
    expect(report).toMatch(/\| died \|/);
    expect(report).toMatch(/\| \d+ \| [a-z]/);
    const requests = Number(/Requests: (\d+)/.exec(report)?.[1]);
    expect(requests).toBeGreaterThan(100);
    expect(report).toMatch(/Wallet operations: .*\d+ transfer\b/);
  });
});
