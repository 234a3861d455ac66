import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { SchedulerRegistry } from '@nestjs/schedule';
import { eventually } from '@payflow/testing';

import { RunReconciliation } from '../src/application/run-reconciliation.js';
import { type Fields, FINANCE, SettlementUnderTest } from './settlement-under-test.js';

jest.setTimeout(300_000);

/** Both acquirers of the simulator, and the bank. */
const SOURCES = ['acquirer:sim', 'acquirer:sim2', 'bank:sim'];

let settlement: SettlementUnderTest;
beforeAll(async () => {
  settlement = await SettlementUnderTest.start({ instances: 2, hears: false });
}, 300_000);
afterAll(async () => {
  await settlement.stop();
});

/** Newest first. */
const runs = async (): Promise<readonly Fields[]> =>
  (await settlement.get('/reconciliation/runs?limit=100', FINANCE)).body['data'] as readonly Fields[];

const sourcesOf = (rows: readonly Fields[]): readonly string[] => rows.map(({ source }) => String(source)).toSorted();

/** The rows are the timers: they run out as if a day had gone by. */
const letADayPass = async (): Promise<void> => {
  await settlement.database.execute(`UPDATE reconciliation_sources SET next_run_at = next_run_at - interval '1 day'`);
};

/** What the scheduler of each instance does by itself when a minute begins, at the same moment. */
const minuteBegins = (): void => {
  for (const app of settlement.apps)
    for (const job of app.get(SchedulerRegistry).getCronJobs().values()) {
      expect(job.isActive).toBe(true);
      void job.fireOnTick();
    }
};

/** Once more on each instance, to its end. */
const tickAgain = async (): Promise<void> => {
  for (const app of settlement.apps) await app.get(RunReconciliation).tick();
};

it('a day that passes starts one run for each acquirer and the bank, of two instances too, and the next where it ended', async () => {
  await tickAgain();
  expect(await runs()).toEqual([]);

  await letADayPass();
  minuteBegins();
  const first = await eventually(async () => {
    const found = await runs();
    expect(sourcesOf(found)).toEqual(SOURCES);
    for (const run of found)
      expect(run).toMatchObject({ requestedBy: 'svc_settlement', status: 'DONE', failure: null });
    return found;
  });
  minuteBegins();
  await tickAgain();
  expect(await runs()).toEqual(first);

  await letADayPass();
  minuteBegins();
  await eventually(async () => {
    expect(sourcesOf(await runs())).toEqual([...SOURCES, ...SOURCES].toSorted());
  });
  await tickAgain();
  const known = new Set(first.map(({ runId }) => String(runId)));
  const second = (await runs()).filter(({ runId }) => !known.has(String(runId)));
  expect(sourcesOf(second)).toEqual(SOURCES);
  for (const { source, from } of second) {
    const before = first.find((run) => run['source'] === source);
    expect(Date.parse(String(from))).toBeLessThanOrEqual(Date.parse(String(before?.['to'])));
  }
});
