import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '..', '..');

interface Evidence {
  readonly id: string;
  readonly file: string;
  /** Part of the test's name; absent where a whole file is the evidence. */
  readonly test: string | undefined;
}

/** Rows look like `| R-040 | what | [file](../file) · words of the test's name |`; several evidences are separated by `<br>`. */
const evidences = (): readonly Evidence[] => {
  const page = readFileSync(join(root, 'docs', 'requirements.md'), 'utf8');
  return page.split('\n').flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    const id = cells[1];
    if (id === undefined || !/^R-\d{3}$/.test(id)) return [];
    return (cells[3] ?? '').split('<br>').map((evidence): Evidence => {
      const match = /^\[[^\]]+\]\(\.\.\/([^)]+)\)(?: · (.+))?$/.exec(evidence.trim());
      if (!match?.[1]) throw new Error(`${id}: cannot read the evidence "${evidence}"`);
      return { id, file: match[1], test: match[2] };
    });
  });
};

describe('docs/requirements.md', () => {
  const all = evidences();

  it('lists a good part of the checklist, each requirement once', () => {
    expect(new Set(all.map((evidence) => evidence.id)).size).toBeGreaterThan(80);
  });

  it.each(all)('$id is shown by a test that exists: $file $test', ({ file, test }) => {
    expect(existsSync(join(root, file))).toBe(true);
    if (test !== undefined) expect(readFileSync(join(root, file), 'utf8').replaceAll(/\s+/g, ' ')).toContain(test);
  });
});
