import { setTimeout as wait } from 'node:timers/promises';

import colors from 'picocolors';

import { type Call, type Connection, expectSuccess } from './connection.ts';
import { printable, printableLines } from './printable.ts';
import { facts, type Shown, table } from './shown.ts';

interface Group {
  readonly service: string;
  readonly group: string;
  readonly count: number;
  readonly topic: string;
  readonly reason: string;
  readonly lastFailedAt: string;
}

export interface Job {
  readonly jobId: string;
  readonly status: string;
  readonly total: number;
  readonly handled: number;
  readonly skipped: number;
  readonly now: {
    readonly open: number;
    readonly replaying: number;
    readonly replayed: number;
    readonly discarded: number;
  };
}

interface Letter {
  readonly deadLetterId: string;
  readonly service: string;
  readonly status: string;
  readonly group: string;
  readonly consumer: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly reason: string;
  readonly errorLine: string;
  readonly attempts: number;
  readonly firstFailedAt: string;
  readonly lastFailedAt: string;
  readonly body: string;
}

/** One letter by its id, or all of a cause. */
export type Target = { readonly id: string } | { readonly group: string };

const POLL_MS = 500;

const at = (service: string, path = ''): string => `/operations/${encodeURIComponent(service)}/dead-letters${path}`;

export const listDeadLetters = async ({ asOperator }: Connection, status: string): Promise<Shown> => {
  const view = expectSuccess<{ data: readonly Group[]; missing: readonly string[] }>(
    await asOperator('GET', `/operations/dead-letters?status=${encodeURIComponent(status)}`),
  );
  const rows = view.data.map((one) => [one.service, one.group, one.count, one.topic, one.lastFailedAt, one.reason]);
  const missing = printable(view.missing.join(', '));
  const gap = missing === '' ? '' : `\n${colors.yellow(`Did not answer: ${missing}`)}`;
  return { json: view, text: table(['service', 'group', 'letters', 'topic', 'last', 'reason'], rows) + gap };
};

/** A letter by its id, or the letters of a group. */
export const showDeadLetters = async ({ asOperator }: Connection, service: string, target: Target): Promise<Shown> => {
  if ('id' in target) {
    const letter = expectSuccess<Letter>(await asOperator('GET', at(service, `/${encodeURIComponent(target.id)}`)));
    const { body, ...rest } = letter;
    return { json: letter, text: `${facts(rest)}\n\n${printableLines(body)}` };
  }
  const page = expectSuccess<{ data: readonly Letter[] }>(
    await asOperator('GET', at(service, `?limit=100&group=${encodeURIComponent(target.group)}`)),
  );
  const rows = page.data.map((one) => [one.deadLetterId, one.status, one.attempts, one.lastFailedAt, one.reason]);
  return { json: page, text: table(['letter', 'status', 'tries', 'last', 'reason'], rows) };
};

/** Whether a replay would work now; nothing comes of it. */
export const dryRunDeadLetters = async (
  { asOperator }: Connection,
  service: string,
  target: Target,
): Promise<Shown> => {
  if ('id' in target) {
    const path = at(service, `/${encodeURIComponent(target.id)}/dry-run`);
    const result = expectSuccess<{ wouldSucceed: boolean; reason: string | null }>(await asOperator('POST', path, {}));
    return { json: result, text: facts(result), failed: !result.wouldSucceed };
  }
  const result = expectSuccess<{ open: number; tried: number; wouldSucceed: number }>(
    await asOperator('POST', at(service, '/dry-run'), { group: target.group }),
  );
  const { open, tried, wouldSucceed } = result;
  return { json: result, text: facts({ open, tried, 'would succeed': wouldSucceed }), failed: wouldSucceed < tried };
};

export interface SettleOptions {
  readonly reason: string;
  readonly rate?: number;
  readonly wait: boolean;
  readonly key?: string;
}

/** Replays or discards, and waits until all is done where that is wanted. Failed: letters that are open again. */
export const settleDeadLetters = async (
  { asOperator }: Connection,
  service: string,
  action: 'replay' | 'discard',
  target: Target,
  { reason, rate, wait: waits, key }: SettleOptions,
  progress: (job: Job) => void,
): Promise<Shown> => {
  if ('id' in target) {
    const path = at(service, `/${encodeURIComponent(target.id)}`);
    const started = expectSuccess<Letter>(await asOperator('POST', `${path}/${action}`, { reason }, key));
    const letter = waits ? await settled(asOperator, path, started) : started;
    return {
      json: letter,
      text: facts({ letter: letter.deadLetterId, status: letter.status, reason: letter.reason }),
      failed: letter.status === 'open',
    };
  }
  const body = { group: target.group, reason, ...(rate === undefined ? {} : { ratePerSecond: rate }) };
  const started = expectSuccess<Job>(await asOperator('POST', at(service, `/${action}`), body, key));
  const job = waits ? await finished(asOperator, at(service, `/jobs/${started.jobId}`), started, progress) : started;
  return {
    json: job,
    text: facts({ job: job.jobId, status: job.status, letters: job.total, skipped: job.skipped, ...job.now }),
    failed: waits && job.now.open > 0,
  };
};

const settled = async (call: Call, path: string, first: Letter): Promise<Letter> => {
  let letter = first;
  while (letter.status === 'replaying') {
    await wait(POLL_MS);
    letter = expectSuccess<Letter>(await call('GET', path));
  }
  return letter;
};

const finished = async (call: Call, path: string, first: Job, progress: (job: Job) => void): Promise<Job> => {
  let job = first;
  while (job.status === 'running' || job.now.replaying > 0) {
    await wait(POLL_MS);
    job = expectSuccess<Job>(await call('GET', path));
    progress(job);
  }
  return job;
};
