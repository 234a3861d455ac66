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

/** Runs the README's commands behind this mark, in a folder whose .payflow is the stack under test, at its gateway's port. */
const runOfReadme = async (mark: string): Promise<string> => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const block = new RegExp(`<!-- ${mark}[^>]*-->\\s+\`\`\`bash\\n([\\s\\S]*?)\`\`\``).exec(readme)?.[1];
  if (block === undefined) throw new Error(`the README has no commands marked "${mark}"`);
  const folder = mkdtempSync(join(tmpdir(), 'readme-'));
  symlinkSync(stackHome(), join(folder, '.payflow'));
  const script = block.replaceAll('localhost:8080', new URL(demo().gateway).host);
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder });
  return stdout;
};

describe('the documents', () => {
  it('README: the first transfer works as printed', async () => {
    const stdout = await runOfReadme('first transfer');
    expect(JSON.parse(stdout.slice(stdout.lastIndexOf('{')))).toMatchObject({ balance: '50.00', available: 5000 });
  });

  it('README: the first payment works as printed (R-194)', async () => {
    const stdout = await runOfReadme('first payment');
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
