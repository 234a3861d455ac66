import { describe, expect, it } from '@jest/globals';

import { refreshed, sentenceOf, tableOf } from './report.ts';
import type { Row, Section } from './section.ts';

const row: Row = {
  what: 'one a request, 64 clients',
  unit: 'transfers',
  perSecond: 4_000.4,
  p50Ms: 9.94,
  p99Ms: 31.2,
  baseline: { what: 'a function each', perSecond: 8_000 },
  clientCpuShare: 0.094,
};
const section = (name: string): Section => ({
  name,
  title: `About ${name}`,
  about: '',
  run: () => Promise.resolve({ rows: [], violations: [] }),
});
const measured = (name: string, perSecond: number) => ({
  section: section(name),
  result: { rows: [{ ...row, perSecond }], violations: [] },
});

describe('the table of a section', () => {
  it('shows the rate beside what the database does, and only columns that say something', () => {
    expect(tableOf([row]).split('\n')).toEqual([
      "| load                      |              rate | p50 ms | p99 ms | without us               | ratio | client's CPU |",
      '| ------------------------- | ----------------: | -----: | -----: | ------------------------ | ----: | -----------: |',
      '| one a request, 64 clients | 4,000 transfers/s |    9.9 |     31 | 8,000/s: a function each |  0.50 |          9 % |',
    ]);
    expect(tableOf([{ ...row, others: { '429': 3 } }])).toContain('3 × 429');
    const { p50Ms: _p50, p99Ms: _p99, clientCpuShare: _share, ...whole } = row;
    expect(tableOf([whole]).split('\n')[0]).not.toMatch(/p50|p99|CPU/);
    expect(sentenceOf(whole)).toBe('one a request, 64 clients: 4,000 transfers/s; without us 8,000/s');
  });
});

describe('the page', () => {
  it('gets a section that it does not have yet, and keeps its prose', () => {
    const page = refreshed('# Performance\n\nProse.\n', [measured('ledger', 1)], 'a machine', '2026-11-21');
    expect(page).toContain('# Performance\n\nProse.\n\n## About ledger\n\n<!-- bench:ledger -->');
    expect(page).toContain('2026-11-21: a machine.');
  });

  it('changes what stands between the markers of the sections that were measured, and nothing else', () => {
    const first = refreshed('# P\n', [measured('ledger', 1_111), measured('reads', 2_222)], 'old', '2026-11-20');
    const second = refreshed(`${first}\nMore prose.\n`, [measured('ledger', 3_333)], 'new', '2026-11-21');
    expect(second).not.toContain('1,111');
    for (const kept of ['3,333', '2,222', '2026-11-20: old.', '2026-11-21: new.', 'More prose.']) {
      expect(second).toContain(kept);
    }
    expect(second.match(/<!-- bench:ledger -->/g)).toHaveLength(1);
  });
});
