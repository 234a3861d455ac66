import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { ledger } from '../tools/bench/ledger.ts';
import { tableOf } from '../tools/bench/report.ts';
import { measure } from '../tools/bench/run.ts';
import type { DemoFile } from '../tools/stack/state.ts';
import { stackHome } from './stack.js';

/** The harness and its checks, on a size that says nothing about speed; long enough for an answer on a machine that is busy. */
describe('npm run bench', () => {
  it('measures the ledger beside its database, and finds in the books what was answered', async () => {
    const stack = JSON.parse(readFileSync(join(stackHome(), 'demo.json'), 'utf8')) as DemoFile;
    const told: string[] = [];
    const [measured] = await measure([ledger], stack, { seconds: 3, warmUpSeconds: 0.1, scale: 0.01 }, (line) => {
      told.push(line);
    });
    const { rows = [], violations } = measured?.result ?? {};
    expect(violations).toEqual([]);
    expect(rows.length).toBeGreaterThan(5);
    for (const row of rows) {
      expect(row.perSecond).toBeGreaterThan(0);
      expect(row.baseline?.perSecond).toBeGreaterThan(0);
      expect(row.others).toEqual({});
      expect(told.join('\n')).toContain(row.what);
      expect(tableOf(rows)).toContain(row.what);
    }
  }, 400_000);
});
