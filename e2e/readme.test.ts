import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, it } from '@jest/globals';

import { demo, stackHome } from './stack.js';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');

const markdownFiles = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? markdownFiles(join(folder, entry.name))
      : entry.name.endsWith('.md')
        ? [join(folder, entry.name)]
        : [],
  );

describe('the documents', () => {
  it('README: the first payment works as printed (R-194)', async () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const block = /<!-- first payment[^>]*-->\s+```bash\n([\s\S]*?)```/.exec(readme)?.[1];
    expect(block).toBeDefined();
    // The same commands, in a folder whose .payflow is the stack under test and whose port is its gateway's.
    const folder = mkdtempSync(join(tmpdir(), 'readme-'));
    symlinkSync(stackHome(), join(folder, '.payflow'));
    const script = (block ?? '').replaceAll('localhost:8080', new URL(demo().gateway).host);
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder });
    const payment = JSON.parse(stdout.slice(stdout.lastIndexOf('{"paymentId"'))) as {
      status: string;
      ledgerBalance: number;
      ledgerEntries: { type: string }[];
    };
    expect(payment).toMatchObject({ status: 'CAPTURED', ledgerBalance: 1000 });
    expect(payment.ledgerEntries.map((entry) => entry.type)).toEqual(
      expect.arrayContaining(['AUTH', 'CAPTURE', 'FEE', 'AUTH_RELEASE']),
    );
  });

  it('link only to files that exist', () => {
    for (const file of ['README.md', 'CONTRIBUTING.md', ...markdownFiles('docs')]) {
      const links = [...readFileSync(join(root, file), 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(
        (match) => match[1] ?? '',
      );
      for (const link of links)
        expect({ file, link, exists: existsSync(join(root, dirname(file), link)) }).toEqual({
          file,
          link,
          exists: true,
        });
    }
  });
});
