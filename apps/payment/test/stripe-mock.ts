import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { eventually, freePort } from '@payflow/testing';

const VERSION = 'v0.203.0';
const CACHE = fileURLToPath(new URL(`../../../.payflow/tools/stripe-mock-${VERSION}`, import.meta.url));
const INSTALL_TIMEOUT_MS = 300_000;

/** Stripe's own check of requests against its API description. It keeps no state: only the shape of a call is tested. */
export interface StripeMock {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

const inPath = (program: string): string | undefined =>
  [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/go/bin']
    .map((directory) => join(directory, program))
    .find((path) => existsSync(path));

/** Where it is, installed if need be; or why it is not there. */
const locate = async (): Promise<{ readonly path: string } | { readonly missing: string }> => {
  const cached = join(CACHE, 'stripe-mock');
  if (existsSync(cached)) return { path: cached };
  const go = inPath('go');
  if (go === undefined) return { missing: 'Go is not there to build it' };
  await mkdir(CACHE, { recursive: true });
  try {
    await promisify(execFile)(go, ['install', `github.com/stripe/stripe-mock@${VERSION}`], {
      env: { ...process.env, GOBIN: CACHE },
      timeout: INSTALL_TIMEOUT_MS,
    });
    return { path: cached };
  } catch (error) {
    return { missing: `it could not be built: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''}` };
  }
};

/** Undefined, with a line that says why, where it cannot be had. */
export const startStripeMock = async (): Promise<StripeMock | undefined> => {
  const found = await locate();
  if ('missing' in found) {
    process.stdout.write(`stripe-mock: skipped, ${found.missing}. The shape of calls to Stripe is not tested.\n`);
    return undefined;
  }
  const port = await freePort();
  const child = spawn(found.path, ['-http-addr', `127.0.0.1:${String(port)}`], { stdio: 'ignore' });
  const exited = new Promise<void>((resolve) =>
    child.once('exit', () => {
      resolve();
    }),
  );
  const url = `http://127.0.0.1:${String(port)}`;
  const stop = async (): Promise<void> => {
    child.kill();
    await exited;
  };
  await eventually(async () => {
    await fetch(url);
  });
  return { url, stop };
};
