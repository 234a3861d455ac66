import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { generatedFiles } from './generated-files.ts';
import { linesOf, publishedEvents } from './published-schemas.ts';

const root = join(import.meta.dirname, '..', '..');

const broken = linesOf(await publishedEvents(root));
if (broken.length === 0) await writeAll();
else {
  // Nothing is written: what was promised would be overwritten by what breaks it.
  console.error(
    `Published events would break. Give them a new version (….v2) beside the old one:\n${broken.join('\n')}`,
  );
  process.exitCode = 1;
}

async function writeAll(): Promise<void> {
  for (const file of await generatedFiles()) {
    await mkdir(dirname(join(root, file.path)), { recursive: true });
    await writeFile(join(root, file.path), file.content);
    console.log(file.path);
  }
}
