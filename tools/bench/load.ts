import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * A load: `clients` of one kind, each of which does one thing after the other. The kind is a module in `clients/` whose
 * `open` makes a client; it runs in a process of its own, so that it disturbs nobody and its cost can be told.
 */
export interface LoadPlan {
  /** `new URL('./clients/ledger-transfer.ts', import.meta.url)` */
  readonly module: URL;
  /** Handed to the module's `open`. Plain data. */
  readonly settings: unknown;
  readonly clients: number;
  /**
   * Starts so many a second, whatever becomes of them, on whichever client is free; latency counts from when each was due, so
   * that a stall is seen by all who would have come. Absent: each client goes on as soon as it has its answer.
   */
  readonly startsPerSecond?: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
}

/** One client of a load: a connection that is kept. */
export interface LoadClient {
  /** Does the thing once. Returns what came of it: `ok`, or a word for the table (`429`). What it throws ends the load. */
  perform(): Promise<string>;
  close(): Promise<void>;
}

/** What a module in `clients/` exports as `open`. */
export type OpenLoadClient<Settings> = (settings: Settings, index: number) => Promise<LoadClient>;

export const SUCCESS = 'ok';

export interface LoadResult {
  /** Successes of the measured time, after the warm-up. */
  readonly succeeded: number;
  readonly perSecond: number;
  /** Of the successes. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** How often each outcome that is no success came. */
  readonly others: Readonly<Record<string, number>>;
  /** Successes since the start, warm-up included: what must be found in the books afterwards. */
  readonly succeededInAll: number;
  /** CPU time of the client process by measured time: 1 is a whole core. */
  readonly clientCpuShare: number;
}

export type LoadMessage =
  { readonly kind: 'result'; readonly result: LoadResult } | { readonly kind: 'failed'; readonly message: string };

/** Runs a load in a process of its own and returns what it saw. */
export const runLoad = async (plan: LoadPlan): Promise<LoadResult> => {
  const child = fork(fileURLToPath(new URL('load-process.ts', import.meta.url)), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit').then((): LoadMessage => ({
    kind: 'failed',
    message: 'the load process ended before it was done',
  }));
  const told = once(child, 'message').then(([message]) => message as LoadMessage);
  child.send({ ...plan, module: plan.module.href });
  const message = await Promise.race([told, exited]);
  if (child.connected) child.disconnect();
  if (message.kind === 'failed') throw new Error(message.message);
  return message.result;
};
