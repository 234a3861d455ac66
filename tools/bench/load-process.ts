import { setTimeout as wait } from 'node:timers/promises';

import {
  type LoadClient,
  type LoadMessage,
  type LoadPlan,
  type LoadResult,
  type OpenLoadClient,
  SUCCESS,
} from './load.ts';

/** The process that a load runs in: it is sent one plan, sends one result, and ends. */

type SentPlan = Omit<LoadPlan, 'module'> & { readonly module: string };

/** What was seen, with the warm-up told apart by when a thing was due. */
class Observations {
  readonly latencies: number[] = [];
  readonly others = new Map<string, number>();
  succeededInAll = 0;
  private readonly countsFrom: number;

  constructor(countsFrom: number) {
    this.countsFrom = countsFrom;
  }

  add(outcome: string, due: number, now: number): void {
    if (outcome === SUCCESS) this.succeededInAll += 1;
    if (due < this.countsFrom) return;
    if (outcome === SUCCESS) this.latencies.push(now - due);
    else this.others.set(outcome, (this.others.get(outcome) ?? 0) + 1);
  }
}

/** Each client goes on as soon as it has its answer. */
const closedLoop = async (clients: readonly LoadClient[], seen: Observations, until: number): Promise<void> => {
  await Promise.all(
    clients.map(async (client) => {
      for (let due = performance.now(); due < until; due = performance.now()) {
        const outcome = await client.perform();
        seen.add(outcome, due, performance.now());
      }
    }),
  );
};

/** So many starts a second; what finds no free client waits for one, and its latency with it. */
const openLoop = async (
  clients: readonly LoadClient[],
  seen: Observations,
  from: number,
  until: number,
  startsPerSecond: number,
): Promise<void> => {
  let started = 0;
  await Promise.all(
    clients.map(async (client) => {
      for (;;) {
        const due = from + (started * 1000) / startsPerSecond;
        if (due >= until) return;
        started += 1;
        const early = due - performance.now();
        if (early > 0) await wait(early);
        const outcome = await client.perform();
        seen.add(outcome, due, performance.now());
      }
    }),
  );
};

const run = async (plan: SentPlan): Promise<LoadResult> => {
  const { open } = (await import(plan.module)) as { readonly open: OpenLoadClient<unknown> };
  const clients = await Promise.all(Array.from({ length: plan.clients }, (_, index) => open(plan.settings, index)));
  const from = performance.now();
  const countsFrom = from + plan.warmUpSeconds * 1000;
  const until = countsFrom + plan.seconds * 1000;
  const seen = new Observations(countsFrom);
  let cpuBefore = process.cpuUsage();
  const warm = wait(plan.warmUpSeconds * 1000).then(() => {
    cpuBefore = process.cpuUsage();
  });
  if (plan.startsPerSecond === undefined) await closedLoop(clients, seen, until);
  else await openLoop(clients, seen, from, until, plan.startsPerSecond);
  await warm;
  const elapsedMs = performance.now() - countsFrom;
  const { user, system } = process.cpuUsage(cpuBefore);
  await Promise.all(clients.map((client) => client.close()));
  const sorted = Float64Array.from(seen.latencies).sort();
  const quantile = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return {
    succeeded: sorted.length,
    perSecond: (sorted.length * 1000) / elapsedMs,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    maxMs: quantile(1),
    others: Object.fromEntries(seen.others),
    succeededInAll: seen.succeededInAll,
    clientCpuShare: (user + system) / 1000 / elapsedMs,
  };
};

const tell = (message: LoadMessage): void => {
  process.send?.(message);
};

process.once('message', (plan: SentPlan) => {
  run(plan).then(
    (result) => {
      tell({ kind: 'result', result });
    },
    (error: unknown) => {
      tell({ kind: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    },
  );
});
