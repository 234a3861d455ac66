import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { orphanTopics } from './event-documents.ts';
import { generatedFiles } from './generated-files.ts';
import { linesOf, publishedEvents } from './published-schemas.ts';
import { undescribedSettings } from './settings-page.ts';

const root = join(import.meta.dirname, '..', '..');

const files = await generatedFiles();

describe('generated files', () => {
  it.each(files)('$path is what `npm run generate` writes', async ({ path, content }) => {
    expect(await readFile(join(root, path), 'utf8')).toBe(content);
  });

  it('describe every setting', () => {
    expect(undescribedSettings()).toEqual([]);
  });

  it('break no event that was ever published', async () => {
    const events = await publishedEvents(root);
    expect(events.length).toBeGreaterThan(0);
    expect(linesOf(events)).toEqual([]);
  });

  it('know every topic', () => {
    expect(orphanTopics()).toEqual([]);
  });
});
