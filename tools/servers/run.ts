import { spawn } from 'node:child_process';

export interface RunResult {
  readonly status: number | null;
  /** Standard output and error, as they came. */
  readonly output: string;
  /** Why the program could not even be started: ENOENT when it is not installed. */
  readonly startError?: NodeJS.ErrnoException;
}

export interface RunOptions {
  readonly directory: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

/** Runs a program to its end and keeps what it says. Never rejects. */
export const run = async (command: string, args: readonly string[], options: RunOptions): Promise<RunResult> =>
  await new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const output = (): string => Buffer.concat(chunks).toString('utf8');
    const child = spawn(command, args, {
      cwd: options.directory,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.user === undefined ? {} : { uid: options.user.uid, gid: options.user.gid }),
    });
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.once('error', (startError) => {
      resolve({ status: null, output: output(), startError });
    });
    child.once('close', (status) => {
      resolve({ status, output: output() });
    });
  });
