import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Principal, SETTLEMENT_REPORT_COLUMNS } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { merchantPrincipal, userPrincipal } from '@payflow/testing';

import { Books } from './books.js';
import { FINANCE, SettlementUnderTest, START_TIMEOUT_MS } from './settlement-under-test.js';

jest.setTimeout(400_000);

const SECOND: Principal = userPrincipal(newId('usr'), 'finance');
const ACQUIRER = '/acquirers/sim/settlement-reports';

let settlement: SettlementUnderTest;
let books: Books;
beforeAll(async () => {
  settlement = await SettlementUnderTest.start();
  books = new Books(settlement);
}, START_TIMEOUT_MS);
afterAll(async () => {
  await settlement.stop();
});

/** Of this source, by kind; those of other tests are left out by their references. */
const openOf = async (source: string): Promise<readonly string[]> =>
  (await books.exceptions({ source, status: 'OPEN' })).map(({ kind }) => String(kind)).toSorted();

describe('books that agree', () => {
  it('are matched line by line, and leave nothing to do, however often it is done', async () => {
    await books.sale(10_000, { refunded: 2_500 });
    await books.sale(700);
    expect(await books.run('acquirer:sim')).toMatchObject({ status: 'DONE', linesMatched: 3, exceptionsOpened: 0 });
    expect(await books.run('acquirer:sim')).toMatchObject({ linesMatched: 3, exceptionsOpened: 0 });
    expect(await openOf('acquirer:sim')).toEqual([]);
  });

  it('agree with the bank too: payouts by our reference', async () => {
    const reference = await books.payOut(4_200);
    await settlement.database.execute(
      `INSERT INTO expected_lines (source, type, reference, amount_minor, currency, occurred_at)
       VALUES ('bank:sim', 'payout', $1, -4200, 'USD', now())`,
      [reference],
    );
    expect(await books.run('bank:sim')).toMatchObject({ status: 'DONE', linesMatched: 1, exceptionsOpened: 0 });
  });
});

describe('time', () => {
  it('is given to what is young, on both sides', async () => {
    const here = await books.sale(311, { onlyHere: true });
    const there = await books.sale(312, { onlyThere: true });
    const before = await openOf('acquirer:sim');
    expect(await books.run('acquirer:sim', { graceSeconds: 3_600 })).toMatchObject({ exceptionsOpened: 0 });
    expect(await openOf('acquirer:sim')).toEqual(before);
    const run = await books.run('acquirer:sim');
    const raised = await books.exceptions({ runId: String(run['runId']) });
    const kindOf = (reference: string) =>
      String(raised.find((exception) => exception['reference'] === reference)?.['kind']);
    expect(kindOf(here.captureId)).toBe('missing_there');
    expect(kindOf(there.captureId)).toBe('missing_here');
  });

  it('brings what was missing: a later report, or our own event, closes the exception by itself', async () => {
    const { captureId } = await books.sale(413);
    await books.spoil(ACQUIRER, [{ kind: 'drop_line', reference: captureId }]);
    const run = await books.run('acquirer:sim');
    const [missing] = await books.exceptions({ runId: String(run['runId']), kind: 'missing_there' });
    expect(missing).toMatchObject({ reference: captureId, status: 'OPEN' });
    const exceptionId = String(missing?.['exceptionId']);
    const proposed = await settlement.post(`/reconciliation/exceptions/${exceptionId}/correct`, { reason: 'Lost.' });
    expect(proposed.status).toBe(202);
    expect(await books.run('acquirer:sim')).toMatchObject({ exceptionsClosed: 1 });
    const closed = await books.exception(exceptionId);
    expect(closed).toMatchObject({ status: 'RESOLVED', resolvedBy: 'svc_settlement' });
    expect(closed['corrections']).toMatchObject([{ status: 'REFUSED' }]);
    const told = await settlement.told(exceptionId);
    expect(told.map(({ payload }) => String(payload['status']))).toEqual(['OPEN', 'RESOLVED']);
  });
});

describe('people', () => {
  const raised = async (): Promise<string> => {
    const { captureId } = await books.sale(517, { onlyHere: true });
    const run = await books.run('acquirer:sim');
    const found = (await books.exceptions({ runId: String(run['runId']) })).find(
      ({ reference }) => reference === captureId,
    );
    return String(found?.['exceptionId']);
  };

  it('assign, and resolve with a reason, once', async () => {
    const path = `/reconciliation/exceptions/${await raised()}`;
    const assigned = await settlement.post(`${path}/assign`, { assignee: SECOND.id });
    expect([assigned.status, assigned.body['assignedTo']]).toEqual([200, SECOND.id]);
    expect((await settlement.post(`${path}/resolve`, {})).status).toBe(400);
    const key = newId('req');
    const resolved = await settlement.post(`${path}/resolve`, { reason: 'A test sale.' }, SECOND, key);
    expect(resolved.body).toMatchObject({ status: 'RESOLVED', resolvedBy: SECOND.id, resolution: 'A test sale.' });
    expect((await settlement.post(`${path}/resolve`, { reason: 'A test sale.' }, SECOND, key)).status).toBe(200);
    const again = await settlement.post(`${path}/resolve`, { reason: 'Again.' });
    expect([again.status, again.body['code']]).toEqual([409, 'settlement_exception_resolved']);
  });

  it('approve only what another proposed, once', async () => {
    const exceptionId = await raised();
    const path = `/reconciliation/exceptions/${exceptionId}`;
    const proposed = await settlement.post(`${path}/correct`, { reason: 'Write it off.' });
    expect(proposed.body['corrections']).toMatchObject([
      {
        status: 'PENDING',
        postings: [{ from: 'settlement:differences', to: 'psp:sim:receivable', amount: 517, currency: 'USD' }],
      },
    ]);
    const correctionId = String(proposed.body['corrections'][0].correctionId);
    const own = await settlement.post(`${path}/corrections/${correctionId}/approve`, undefined);
    expect([own.status, own.body['code']]).toEqual([403, 'own_correction']);
    const second = await settlement.post(`${path}/correct`, { reason: 'Another.' }, SECOND);
    expect([second.status, second.body['code']]).toEqual([409, 'correction_waits']);
    const early = await settlement.post(`${path}/resolve`, { reason: 'Never mind.' });
    expect([early.status, early.body['code']]).toEqual([409, 'correction_waits']);
    const refused = await settlement.post(
      `${path}/corrections/${correctionId}/refuse`,
      { reason: 'Ask them.' },
      SECOND,
    );
    expect(refused.body).toMatchObject({ status: 'OPEN', corrections: [{ status: 'REFUSED', failure: 'Ask them.' }] });
    const late = await settlement.post(`${path}/corrections/${correctionId}/approve`, undefined, SECOND);
    expect([late.status, late.body['code']]).toEqual([409, 'correction_not_open']);
    expect(await books.correct(exceptionId, SECOND, FINANCE)).toMatchObject({ status: 'RESOLVED' });
  });

  it('of a merchant see none of it', async () => {
    const merchant = merchantPrincipal(newId('mer'));
    const exceptionId = await raised();
    for (const path of [
      '/reconciliation/exceptions',
      `/reconciliation/exceptions/${exceptionId}`,
      '/reconciliation/runs',
    ])
      expect((await settlement.get(path, merchant)).status).toBe(403);
    expect((await settlement.post('/reconciliation/runs', { source: 'acquirer:sim' }, merchant)).status).toBe(403);
  });
});

describe('a file that cannot be taken', () => {
  const stored = async (): Promise<number> =>
    (await settlement.database.query('SELECT FROM report_lines')).length +
    (await settlement.database.query('SELECT FROM imported_reports')).length;

  it('is refused with the line, and nothing of it is stored', async () => {
    const before = await stored();
    await books.spoil(ACQUIRER, [{ kind: 'wrong_total' }]);
    const wrong = await books.upload('acquirer:sim', await books.file(ACQUIRER));
    expect([wrong.status, wrong.body['code']]).toEqual([422, 'report_invalid']);
    expect(wrong.body['errors']).toMatchObject([{ code: 'wrong_total', pointer: expect.stringMatching(/^line:\d+$/) }]);
    const whole = await books.file(ACQUIRER);
    for (const [source, file, code] of [
      ['acquirer:sim2', whole, 'other_source'],
      ['acquirer:sim', whole.slice(0, -50), 'malformed'],
      ['acquirer:sim', `${SETTLEMENT_REPORT_COLUMNS.join(',')}\r\n`, 'truncated'],
      ['acquirer:sim', gzipSync(whole), 'malformed'],
      [
        'bank:sim',
        '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document>&x;</Document>',
        'forbidden_construct',
      ],
      ['bank:sim', whole, 'malformed'],
    ] as const) {
      const answer = await books.upload(source, file);
      expect([answer.status, answer.body['errors']]).toMatchObject([422, [{ code }]]);
    }
    expect(await stored()).toBe(before);
  });

  it('is refused for its source, its media type, its packing, and its sender', async () => {
    const file = await books.file(ACQUIRER);
    expect((await books.upload('acquirer:nobody', file)).status).toBe(404);
    expect((await books.upload('somebody', file)).status).toBe(400);
    expect((await books.upload('acquirer:sim', '{}', { type: 'application/json' })).status).toBe(415);
    const packed = { headers: { 'content-encoding': 'gzip' } };
    expect((await books.upload('acquirer:sim', gzipSync(file), packed)).status).toBe(415);
    const merchant = { as: merchantPrincipal(newId('mer')) };
    expect((await books.upload('acquirer:sim', file, merchant)).status).toBe(403);
  });

  it('ends the run that fetched it, with the reason', async () => {
    await books.spoil(ACQUIRER, [{ kind: 'truncated' }]);
    const run = await books.run('acquirer:sim');
    expect(run).toMatchObject({ status: 'FAILED', reportId: null, failure: expect.stringMatching(/\.$/) });
  });
});

describe('the list of exceptions', () => {
  it('goes to a spreadsheet without formulas', async () => {
    const { runId } = (await books.exceptions())[0] ?? {};
    await settlement.database.execute(
      `INSERT INTO settlement_exceptions (id, source, kind, status, type, reference, occurrence, run_id, currency, created_at,
         their_reference, actual_minor)
       VALUES ($1, 'bank:sim', 'missing_here', 'OPEN', 'payout', '=HYPERLINK("http://evil.example";"x")', '', $2, 'USD',
         now(), 'a, "b"', -5)`,
      [newId('sex'), runId],
    );
    const answer = await settlement.app().inject({
      url: '/reconciliation/exceptions.csv?source=bank:sim&kind=missing_here',
      headers: { authorization: await settlement.authorization(FINANCE) },
    });
    expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(answer.body).toContain(`"'=HYPERLINK(""http://evil.example"";""x"")"`);
    expect(answer.body).toContain('"a, ""b"""');
    expect(answer.body).toContain(',-5,');
  });
});
