import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/**
 * A process as it was when we started it. A pid alone may by now belong to somebody else; together with the time the
 * process started it names one process for good.
 */
export interface ProcessRecord {
  readonly pid: number;
  /** Opaque; compared for equality only. */
  readonly startedAt: string;
}

export interface SpawnPlan {
  readonly command: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  /** Standard output and error go to the end of this file. */
  readonly logFile: string;
  readonly user?: { readonly uid: number; readonly gid: number };
}

const POLL_MS = 50;
const LOG_BYTES_MAX = 20 * 1024 * 1024;

/** Starts a process in a group of its own, so that a Ctrl-C at our terminal reaches us alone. It outlives us. */
export const spawnDetached = async (plan: SpawnPlan): Promise<ProcessRecord> => {
  const log = openLog(plan.logFile);
  try {
    const child = spawn(plan.command, plan.args, {
      cwd: plan.directory,
      env: plan.env,
      detached: true,
      stdio: ['ignore', log, log],
      ...plan.user,
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    const pid = child.pid;
    if (pid === undefined) throw new Error('invariant: a spawned process has a pid');
    return { pid, startedAt: startTimeOf(pid) ?? 'ended' };
  } finally {
    closeSync(log);
  }
};

/** Opens a log for appending; one that has grown too large becomes `<name>.1` first. */
export const openLog = (file: string): number => {
  mkdirSync(dirname(file), { recursive: true });
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX) renameSync(file, `${file}.1`);
  return openSync(file, 'a');
};

/** The last lines of a log, for an error message. */
export const tailOf = (file: string, lines = 12): string => {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
};

/** When a process started, or undefined when there is none with this pid, or only its remains wait to be collected. */
export const startTimeOf = (pid: number): string | undefined => {
  if (process.platform === 'linux') {
    try {
      // Field 22 of proc(5) stat; the second field may contain spaces, but is closed by the last parenthesis.
      const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${bootId()}/${fields[19] ?? ''}`;
    } catch {
      return undefined;
    }
  }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
};

/** Start times count from boot: without this a process of before a reboot could be mistaken for a later one. */
const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

/** A record of a process that is already running, when it is. */
export const recordOf = (pid: number): ProcessRecord | undefined => {
  const startedAt = startTimeOf(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
};

export const isAlive = (record: ProcessRecord): boolean => startTimeOf(record.pid) === record.startedAt;

/** Sends a signal to a process, if it is still the one we mean. */
export const signal = (record: ProcessRecord, name: NodeJS.Signals): void => {
  if (!isAlive(record)) return;
  try {
    process.kill(record.pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
};

/** Sends a signal to a process and to all that it started, if it is still the one we mean. It must lead its group. */
export const signalGroup = (record: ProcessRecord, name: NodeJS.Signals): void => {
  if (!isAlive(record)) return;
  try {
    process.kill(-record.pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
};

/** @returns whether the process was gone in time */
export const waitForEnd = async (record: ProcessRecord, timeoutMs: number): Promise<boolean> => {
  const deadline = Date.now() + timeoutMs;
  while (isAlive(record)) {
    if (Date.now() > deadline) return false;
    await wait(POLL_MS);
  }
  return true;
};

/** Asks a process to end and waits; one that does not end in time is killed. */
export const endProcess = async (record: ProcessRecord, name: NodeJS.Signals, graceMs: number): Promise<void> => {
  signal(record, name);
  if (await waitForEnd(record, graceMs)) return;
  signalGroup(record, 'SIGKILL');
  await waitForEnd(record, 5_000);
};
