import { setTimeout as wait } from 'node:timers/promises';

import { type Connection, expectSuccess } from './connection.ts';
import { facts, type Shown, table } from './shown.ts';

interface Run {
  readonly runId: string;
  readonly phase: string;
  readonly lineCount: number;
  readonly settlementCount: number;
  readonly payoutCount: number;
  readonly setAsideCount: number;
  readonly waitsUntil: string | null;
}

const POLL_MS = 500;

/** Settles what is available, and waits, where that is wanted, until the run is over but for those whom it set aside. */
export const runSettlement = async (
  { asOperator }: Connection,
  options: { readonly merchant?: string; readonly cutoff?: string; readonly wait: boolean; readonly key?: string },
): Promise<Shown> => {
  const { merchant: merchantId, cutoff } = options;
  const body = { ...(merchantId === undefined ? {} : { merchantId }), ...(cutoff === undefined ? {} : { cutoff }) };
  let run = expectSuccess<Run>(await asOperator('POST', '/settlements/run', body, options.key));
  while (options.wait && run.phase !== 'DONE' && run.waitsUntil === null) {
    await wait(POLL_MS);
    run = expectSuccess<Run>(await asOperator('GET', `/settlements/runs/${run.runId}`));
  }
  const { runId, phase, lineCount: lines, settlementCount: settlements, payoutCount: payouts } = run;
  return {
    json: run,
    text: facts({ run: runId, phase, lines, settlements, payouts, 'set aside': run.setAsideCount }),
  };
};

interface Difference {
  readonly exceptionId: string;
  readonly kind: string;
  readonly source: string;
  readonly status: string;
  readonly reference: string | null;
  readonly expected: number | null;
  readonly actual: number | null;
  readonly currency: string;
}

/** Where the books of acquirers and the bank say otherwise than ours. */
export const listDifferences = async (
  { asOperator }: Connection,
  options: { readonly status: string; readonly source?: string; readonly kind?: string },
): Promise<Shown> => {
  const query = new URLSearchParams({ limit: '100', status: options.status });
  if (options.source !== undefined) query.set('source', options.source);
  if (options.kind !== undefined) query.set('kind', options.kind);
  const page = expectSuccess<{ data: readonly Difference[]; nextCursor: string | null }>(
    await asOperator('GET', `/reconciliation/exceptions?${query.toString()}`),
  );
  const rows = page.data.map((one) => [
    one.exceptionId,
    one.kind,
    one.source,
    one.reference,
    one.expected,
    one.actual,
    one.currency,
    one.status,
  ]);
  const headings = ['exception', 'kind', 'source', 'reference', 'expected', 'actual', 'currency', 'status'];
  return { json: page, text: table(headings, rows) };
};
