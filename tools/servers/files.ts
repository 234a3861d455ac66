import { mkdirSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { Failure } from './failure.ts';

const OWNER_ONLY = 0o600;

/** Writes a file that only its owner may read; a reader sees the old text or the new, never half of it. */
export const writePrivateFile = (file: string, text: string): void => {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${String(process.pid)}.tmp`;
  rmSync(draft, { force: true });
  writeFileSync(draft, text, { mode: OWNER_ONLY });
  renameSync(draft, file);
};

export const writePrivateJson = (file: string, value: unknown): void => {
  writePrivateFile(file, `${JSON.stringify(value, undefined, 2)}\n`);
};

/** What a file of ours holds, or undefined when there is none or it was cut short. The caller says which shape it wrote. */
export const readJson = <Shape>(file: string): Shape | undefined => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Shape;
  } catch {
    return undefined;
  }
};

/** Stops early, with a sentence, where a full disk would otherwise stop us half way with a riddle. */
export const requireFreeSpace = (directory: string, neededMb: number, forWhat: string): void => {
  const { bavail, bsize } = statfsSync(directory);
  const freeMb = Math.floor((bavail * bsize) / 1024 / 1024);
  if (freeMb >= neededMb) return;
  throw new Failure(
    `${forWhat} needs about ${String(neededMb)} MB in ${directory}, but only ${String(freeMb)} MB are free there. ` +
      'Make room, or set PAYFLOW_HOME to a directory on a larger disk.',
  );
};
