import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Principal } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { eventually, userPrincipal } from '@payflow/testing';

import { PaymentStory } from '../../ledger/test/payment-event-source.js';
import { Books } from './books.js';
import { type Fields, FINANCE, PATIENT, SettlementUnderTest, START_TIMEOUT_MS } from './settlement-under-test.js';

jest.setTimeout(400_000);

const SECOND: Principal = userPrincipal(newId('usr'), 'finance');
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let settlement: SettlementUnderTest;
let books: Books;
beforeAll(async () => {
  // All reports are sent; none is fetched.
  const acquirers = ['sim', 'sim2', 'twice', 'gap'].map((name) => [name, `http://127.0.0.1:9/acquirers/${name}`]);
  settlement = await SettlementUnderTest.start({
    environment: { ACQUIRERS: JSON.stringify(Object.fromEntries(acquirers)) },
  });
  books = new Books(settlement);
}, START_TIMEOUT_MS);
afterAll(async () => {
  await settlement.stop();
});

/** A day of its own for each test: its reports overlap with those of no other. */
let days = 2;
const someDay = (): { readonly from: Date; readonly noon: Date; readonly to: Date } => {
  days += 2;
  const from = new Date(Date.now() - days * DAY_MS);
  return { from, noon: new Date(from.getTime() + DAY_MS / 2), to: new Date(from.getTime() + DAY_MS) };
};

/** A payment that is captured, and of which nobody has told yet. */
const untold = (amount: number, at: Date) => {
  const story = new PaymentStory(newId('mer')).created(amount).authorized(amount).captured(amount, 0);
  const captureId =
    story.events.flatMap(({ name, payload }) => (name === 'captured' ? [payload.captureId] : []))[0] ?? '';
  const tell = async (): Promise<void> => {
    await settlement.payments.emit(story.emitted().map((emitted) => ({ ...emitted, occurredAt: at })));
  };
  return { captureId, paymentId: story.paymentId, tell };
};

/** As soon as the ledger has heard of the payments. */
const receivableOfSim = async (balance: number): Promise<void> => {
  await eventually(async () => {
    expect(await settlement.ledgerBalance('psp:sim:receivable')).toBe(balance);
  }, PATIENT);
};

const raisedIn = async (run: Fields, reference: string): Promise<Fields> => {
  const found = (await books.exceptions({ runId: String(run['runId']) })).filter(
    (one) => one['reference'] === reference,
  );
  expect(found).toHaveLength(1);
  return found[0] ?? {};
};

const pathOf = (exception: Fields): string => `/reconciliation/exceptions/${String(exception['exceptionId'])}`;

/** @returns the correction's path */
const proposed = async (exception: Fields): Promise<string> => {
  const { status, body } = await settlement.post(`${pathOf(exception)}/correct`, { reason: 'They are right.' });
  expect(status).toBe(202);
  const [correction] = (body['corrections'] as readonly Fields[]).slice(-1);
  return `${pathOf(exception)}/corrections/${String(correction?.['correctionId'])}`;
};

const refusalOf = async (path: string, body: unknown, as: Principal): Promise<unknown> => {
  const answer = await settlement.post(path, body, as);
  return [answer.status, answer.body['code'], answer.body['detail']];
};

describe('a difference that is not what it was', () => {
  it('because our own event came is not corrected, neither proposed nor approved', async () => {
    const { from, noon, to } = someDay();
    const { captureId, tell } = untold(611, noon);
    const before = await settlement.ledgerBalance('psp:sim:receivable');
    const missing = await raisedIn(
      await books.reported('sim', from, to, [{ reference: captureId, amount: 611, at: noon }]),
      captureId,
    );
    const correction = await proposed(missing);
    await tell();
    await books.known('capture', captureId);
    const gone = [409, 'difference_changed', 'Our books have the line now.'];
    expect(await refusalOf(`${correction}/approve`, undefined, SECOND)).toEqual(gone);
    await settlement.post(`${correction}/refuse`, { reason: 'It is settled.' }, SECOND);
    expect(await refusalOf(`${pathOf(missing)}/correct`, { reason: 'Again.' }, FINANCE)).toEqual(gone);
    expect((await books.exception(String(missing['exceptionId'])))['corrections']).toMatchObject([
      { status: 'REFUSED' },
    ]);
    await receivableOfSim(before - 611);
  });

  it('because a later report says something else is not corrected; what it says now is', async () => {
    const { from, noon, to } = someDay();
    const reference = newId('cap');
    await books.expected('sim2', reference, 1_001, noon);
    const before = await settlement.ledgerBalance('psp:sim2:receivable');
    const line = { reference, at: noon };
    const first = await raisedIn(await books.reported('sim2', from, to, [{ ...line, amount: 1_002 }]), reference);
    const correction = await proposed(first);
    const second = await raisedIn(await books.reported('sim2', from, to, [{ ...line, amount: 1_004 }]), reference);
    expect(await refusalOf(`${correction}/approve`, undefined, SECOND)).toEqual([
      409,
      'difference_changed',
      'The other side says 1004 USD, fee 0 now, and said 1002 USD, fee 0.',
    ]);
    expect(await books.correct(String(second['exceptionId']), FINANCE, SECOND)).toMatchObject({ status: 'RESOLVED' });
    expect(await settlement.ledgerBalance('psp:sim2:receivable')).toBe(before - 3);
    expect(await refusalOf(`${correction}/approve`, undefined, SECOND)).toEqual([
      409,
      'difference_changed',
      'Our books say 1004 USD, fee 0 now.',
    ]);
  });

  it('because a later report of that time has the line no more is not corrected', async () => {
    const { from, noon, to } = someDay();
    const reference = newId('cap');
    const missing = await raisedIn(
      await books.reported('sim2', from, to, [{ reference, amount: 700, at: noon }]),
      reference,
    );
    await books.reported('sim2', from, to, []);
    expect(await refusalOf(`${pathOf(missing)}/correct`, { reason: 'They have it.' }, FINANCE)).toEqual([
      409,
      'difference_changed',
      'The latest report of that time does not have the line.',
    ]);
  });
});

describe('an event that comes after the correction', () => {
  it('has the payment in our books twice, which is a difference, and its correction ends it', async () => {
    const { from, noon, to } = someDay();
    const { captureId, paymentId, tell } = untold(613, noon);
    const before = await settlement.ledgerBalance('psp:sim:receivable');
    const line = { reference: captureId, amount: 613, at: noon };
    const missing = await raisedIn(await books.reported('sim', from, to, [line]), captureId);
    await books.correct(String(missing['exceptionId']), FINANCE, SECOND);
    await tell();
    await books.known('capture', `${captureId}:again`);
    await receivableOfSim(before - 2 * 613);
    const run = await books.reported('sim', from, to, [line]);
    const twice = await raisedIn(run, `${captureId}:again`);
    expect(twice).toMatchObject({ kind: 'missing_there', expected: 613, actual: null, paymentId });
    expect(run).toMatchObject({ exceptionsOpened: 1 });
    await books.correct(String(twice['exceptionId']), FINANCE, SECOND);
    expect(await settlement.ledgerBalance('psp:sim:receivable')).toBe(before - 613);
  });
});

describe('a comparison that closes what is settled', () => {
  it('waits for who approves at the same moment, and leaves that to the ledger', async () => {
    const { from, noon, to } = someDay();
    const reference = newId('cap');
    await books.expected('sim2', reference, 800, noon);
    const missing = await raisedIn(await books.reported('sim2', from, to, []), reference);
    const correctionId = (await proposed(missing)).split('/').at(-1);
    const run = await settlement.database.transaction(async (tx) => {
      const [locking] = await tx.query<{ pid: number }>(
        'SELECT pg_backend_pid() AS pid FROM settlement_exceptions WHERE id = $1 FOR UPDATE',
        [missing['exceptionId']],
      );
      const comparing = books.reported('sim2', from, to, [{ reference, amount: 800, at: noon }]);
      await eventually(async () => {
        const waiting = await settlement.database.query(
          'SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))',
          [locking?.pid],
        );
        if (waiting.length === 0) throw new Error('it does not wait yet');
      }, PATIENT);
      await tx.execute(
        `UPDATE corrections SET status = 'APPROVED', decided_by = $2, decided_at = now(), next_attempt_at = now() WHERE id = $1`,
        [correctionId, SECOND.id],
      );
      return { comparing };
    });
    expect(await run.comparing).toMatchObject({ status: 'DONE', exceptionsClosed: 0 });
    await eventually(async () => {
      expect(await books.exception(String(missing['exceptionId']))).toMatchObject({
        status: 'RESOLVED',
        resolvedBy: SECOND.id,
        corrections: [{ status: 'POSTED' }],
      });
    }, PATIENT);
  });
});

describe('a correction that cannot be posted', () => {
  it('is not proposed, where no money would move', async () => {
    const { from, noon, to } = someDay();
    const reference = newId('cap');
    const missing = await raisedIn(
      await books.reported('sim2', from, to, [{ reference, amount: 25, fee: 25, at: noon }]),
      reference,
    );
    expect(await refusalOf(`${pathOf(missing)}/correct`, { reason: 'All fee.' }, FINANCE)).toEqual([
      409,
      'correction_not_postable',
      'The line nets to nothing: no money would move.',
    ]);
    expect((await settlement.post(`${pathOf(missing)}/resolve`, { reason: 'All fee.' })).status).toBe(200);
  });

  it('keeps no other from being posted, says why, and may be decided anew', async () => {
    const { from, noon, to } = someDay();
    const references = [newId('cap'), newId('cap')];
    const run = await books.reported(
      'sim2',
      from,
      to,
      references.map((reference) => ({ reference, amount: 900, at: noon })),
    );
    const [bad, good] = [await raisedIn(run, references[0] ?? ''), await raisedIn(run, references[1] ?? '')];
    const posting = { from: 'psp:sim2:receivable', to: 'settlement:differences', amount: 900, currency: 'USD' };
    await settlement.database.execute(
      `INSERT INTO corrections (id, exception_id, status, postings, reason, proposed_by, proposed_at, decided_by, decided_at, next_attempt_at)
       SELECT id, exception_id, 'APPROVED', postings, 'They are right.', $4, now(), $5, now(), now()
         FROM unnest($1::text[], $2::text[], $3::jsonb[]) AS c (id, exception_id, postings)`,
      [
        [newId('apr'), newId('apr')],
        [bad['exceptionId'], good['exceptionId']],
        [JSON.stringify([]), JSON.stringify([posting])],
        FINANCE.id,
        SECOND.id,
      ],
    );
    await eventually(async () => {
      expect(await books.exception(String(good['exceptionId']))).toMatchObject({ status: 'RESOLVED' });
      expect(await books.exception(String(bad['exceptionId']))).toMatchObject({
        status: 'OPEN',
        corrections: [{ status: 'FAILED', failure: expect.stringMatching(/^[a-z_]+: ./) }],
      });
    }, PATIENT);
    expect(await books.correct(String(bad['exceptionId']), FINANCE, SECOND)).toMatchObject({
      status: 'RESOLVED',
      corrections: [{ status: 'FAILED' }, { status: 'POSTED' }],
    });
  });
});

describe('reports of overlapping times', () => {
  it('repeat a line, in whichever of them: only another entry of it is a duplicate, once', async () => {
    const { from, noon, to } = someDay();
    const reference = newId('cap');
    await books.expected('twice', reference, 400, noon);
    const entry = { reference, amount: 400, at: noon };
    const later = { ...entry, at: new Date(noon.getTime() + HOUR_MS) };
    const middle = new Date(noon.getTime() - HOUR_MS);
    const repeated = { linesMatched: 1, exceptionsOpened: 0 };
    expect(await books.reported('twice', from, to, [entry])).toMatchObject(repeated);
    expect(await books.reported('twice', middle, to, [entry])).toMatchObject(repeated);
    const run = await books.reported('twice', middle, to, [later]);
    expect(run).toMatchObject({ linesMatched: 0, exceptionsOpened: 1 });
    expect(await raisedIn(run, reference)).toMatchObject({ kind: 'duplicate', actual: 400 });
    expect(await books.reported('twice', from, to, [later, entry])).toMatchObject(repeated);
  });

  it('that do not overlap repeat nothing', async () => {
    const { from, noon, to } = someDay();
    const reference = newId('cap');
    await books.expected('twice', reference, 401, noon);
    const entry = { reference, amount: 401, at: noon };
    await books.reported('twice', from, to, [entry]);
    const run = await books.reported('twice', to, new Date(to.getTime() + HOUR_MS), [entry]);
    expect(await raisedIn(run, reference)).toMatchObject({ kind: 'duplicate', actual: 401 });
  });
});

describe('what was missing here', () => {
  it('is not missing there when our event comes, though somebody had resolved it', async () => {
    const { from, noon, to } = someDay();
    const { captureId, tell } = untold(617, noon);
    const missing = await raisedIn(
      await books.reported('sim', from, to, [{ reference: captureId, amount: 617, at: noon }]),
      captureId,
    );
    await settlement.post(`${pathOf(missing)}/resolve`, { reason: 'It will come.' });
    await tell();
    await books.known('capture', captureId);
    const next = someDay();
    expect(await books.reported('sim', next.from, next.to, [])).toMatchObject({ linesMatched: 1, exceptionsOpened: 0 });
  });
});

describe('the time that reports cover', () => {
  it('has gaps: what is in one is not missing there until its report is read', async () => {
    const first = someDay();
    const last = { from: new Date(first.from.getTime() + 2 * DAY_MS), to: new Date(first.to.getTime() + 2 * DAY_MS) };
    const reference = newId('cap');
    await books.expected('gap', reference, 300, new Date(first.noon.getTime() + DAY_MS));
    expect(await books.reported('gap', first.from, first.to, [])).toMatchObject({ exceptionsOpened: 0 });
    expect(await books.reported('gap', last.from, last.to, [])).toMatchObject({ exceptionsOpened: 0 });
    const run = await books.reported('gap', first.to, last.from, []);
    expect(await raisedIn(run, reference)).toMatchObject({ kind: 'missing_there' });
  });

  it('is past: a line of the future is an error of the report', async () => {
    const { from, to } = someDay();
    const line = { reference: newId('cap'), amount: 1, at: new Date(Date.now() + DAY_MS) };
    await expect(books.reported('sim2', from, to, [line])).rejects.toThrow(/422.*invalid_line/);
  });
});
