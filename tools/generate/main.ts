import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { generatedFiles } from './generated-files.ts';

const root = join(import.meta.dirname, '..', '..');

for (const file of await generatedFiles()) {
  await mkdir(dirname(join(root, file.path)), { recursive: true });
  await writeFile(join(root, file.path), file.content);
  console.log(file.path);
}
