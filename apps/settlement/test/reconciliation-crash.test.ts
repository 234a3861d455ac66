import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { SETTLEMENT_REPORT_COLUMNS } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { eventually } from '@payflow/testing';

import { type Fields, FINANCE, PATIENT, SettlementUnderTest, START_TIMEOUT_MS } from './settlement-under-test.js';

jest.setTimeout(900_000);

const LINES = 12_000;
const DAY_MS = 86_400_000;

let settlement: SettlementUnderTest;
let database: Database;
beforeAll(async () => {
  settlement = await SettlementUnderTest.start({ instances: 0, hears: false });
  database = await Database.connect({
    url: settlement.databases.runtimeUrl,
    applicationName: 'test',
    poolSizeMax: 2,
  });
}, START_TIMEOUT_MS);
afterAll(async () => {
  await database.close();
  await settlement.stop();
});

const references = Array.from({ length: LINES }, () => newId('cap'));

/** A line for each reference, of 100 more than our books have in the last one. */
const report = (): string => {
  const record = (fields: Partial<Record<(typeof SETTLEMENT_REPORT_COLUMNS)[number], string>>): string =>
    `${SETTLEMENT_REPORT_COLUMNS.map((column) => fields[column] ?? '').join(',')}\r\n`;
  const of = { acquirer: 'sim', report: 'sr-crash' };
  const at = new Date(Date.now() - DAY_MS / 2).toISOString();
  const lines = references.map((reference, index) =>
    record({
      ...of,
      record: 'line',
      type: 'capture',
      reference,
      amount: index === LINES - 1 ? '1100' : '1000',
      currency: 'USD',
      fee: '0',
      at,
    }),
  );
  return [
    `${SETTLEMENT_REPORT_COLUMNS.join(',')}\r\n`,
    record({ ...of, record: 'begin', at: new Date(Date.now() - DAY_MS).toISOString() }),
    ...lines,
    record({
      ...of,
      record: 'total',
      amount: String(LINES * 1000 + 100),
      currency: 'USD',
      fee: '0',
      count: String(LINES),
    }),
    record({ ...of, record: 'end', at: new Date(Date.now() - 1_000).toISOString(), count: String(LINES) }),
  ].join('');
};

const ready = async (url: string): Promise<void> => {
  await eventually(async () => {
    if ((await fetch(`${url}/health/ready`)).status !== 200) throw new Error('is not ready yet');
  }, PATIENT);
};

const upload = async (url: string, file: string): Promise<Response> =>
  await fetch(`${url}/reconciliation/reports?source=acquirer:sim&graceSeconds=0`, {
    method: 'POST',
    headers: { authorization: await settlement.authorization(FINANCE), 'content-type': 'text/csv' },
    body: file,
  });

const count = async (table: string): Promise<number> => {
  const [row] = await database.query<{ count: bigint }>(`SELECT count(*) AS count FROM ${table}`);
  return Number(row?.count);
};

describe('a service that dies', () => {
  it('in the middle of an import leaves nothing of it, and the same file is read in; in the middle of a run, the next goes on', async () => {
    const file = report();
    const reading = await settlement.startProcess('reconciliation.lines-stored@3');
    await ready(reading.url);
    const [answered] = await Promise.all([upload(reading.url, file).catch(() => undefined), reading.died]);
    expect(answered).toBeUndefined();
    expect([await count('imported_reports'), await count('report_lines'), await count('reconciliation_runs')]).toEqual([
      0, 0, 0,
    ]);
    await database.execute(
      `INSERT INTO expected_lines (source, type, reference, amount_minor, currency, occurred_at)
       SELECT 'acquirer:sim', 'capture', reference, 1000, 'USD', now() - interval '12 hours' FROM unnest($1::text[]) AS reference`,
      [references],
    );

    const comparing = await settlement.startProcess('reconciliation.chunk-compared@2');
    await ready(comparing.url);
    const imported = await upload(comparing.url, file);
    expect(imported.status).toBe(201);
    const { runId } = (await imported.json()) as Fields;
    expect(await comparing.died).toBe('SIGKILL');
    // The first step is kept; the second, whose transaction died, is not.
    expect(await count("report_lines WHERE verdict = 'matched'")).toBe(5_000);
    expect(await count("reconciliation_runs WHERE status = 'RUNNING'")).toBe(1);
    await database.execute('UPDATE reconciliation_runs SET lease_until = now()');

    const last = await settlement.startProcess('');
    await ready(last.url);
    const run = await eventually(async () => {
      const answer = await fetch(`${last.url}/reconciliation/runs/${String(runId)}`, {
        headers: { authorization: await settlement.authorization(FINANCE) },
      });
      const body = (await answer.json()) as Fields;
      if (body['status'] !== 'DONE') throw new Error(JSON.stringify(body));
      return body;
    }, PATIENT);
    expect(run).toMatchObject({ linesMatched: LINES - 1, exceptionsOpened: 1 });
    expect(await count('settlement_exceptions')).toBe(1);
    const again = await upload(last.url, file);
    expect([again.status, await count('imported_reports')]).toEqual([200, 1]);
    last.kill();
    await last.died;
  });
});
