import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const packageEntry = createRequire(import.meta.url).resolve('@scalar/api-reference');
const BUNDLE = join(dirname(packageEntry), 'browser', 'standalone.js');

export interface Bundle {
  readonly plain: Buffer;
  readonly compressed: Buffer;
}

let bundle: Promise<Bundle> | undefined;

/** The reference page's script (4.4 MB, a third of it compressed), read when somebody first opens the page and then kept. */
export const referenceBundle = async (): Promise<Bundle> => {
  bundle ??= load().catch((error: unknown) => {
    bundle = undefined;
    throw error;
  });
  return await bundle;
};

const load = async (): Promise<Bundle> => {
  const plain = await readFile(BUNDLE);
  return { plain, compressed: await promisify(gzip)(plain) };
};
