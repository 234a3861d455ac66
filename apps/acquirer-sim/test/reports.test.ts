import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type InjectedReportError, SETTLEMENT_REPORT_COLUMNS } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { parse } from 'csv-parse/sync';
import { XMLParser } from 'fast-xml-parser';

import { authorization, cardNumbered, RunningAcquirer } from './running-acquirer.js';

type Record = { readonly [Column in (typeof SETTLEMENT_REPORT_COLUMNS)[number]]: string };

let sim: RunningAcquirer;

beforeAll(async () => {
  sim = await RunningAcquirer.start({ PENDING_MS: '0' });
});
afterAll(async () => {
  await sim.stop();
});

const HOUR_MS = 3_600_000;

interface Entry {
  readonly NtryDtls: { readonly TxDtls: { readonly Refs: { readonly EndToEndId: string } } };
  readonly CdtDbtInd: string;
  readonly Amt: { readonly '#text': string };
}
const periodQuery = () => {
  const now = Date.now();
  return `from=${new Date(now - HOUR_MS).toISOString()}&to=${new Date(now + 1_000).toISOString()}`;
};

const report = async (acquirer: string) => {
  const answer = await sim.fetch(`/acquirers/${acquirer}/settlement-reports?${periodQuery()}`);
  expect(answer.status).toBe(200);
  const text = await answer.text();
  const records = parse(text, { columns: true, trim: false });
  return { text, location: answer.headers.get('content-location') ?? '', records: records as unknown as Record[] };
};

/** A payment of 1,000 with all of it captured. */
const captured = async (acquirer: string, over: object = {}): Promise<{ authorizationId: string; capture: string }> => {
  const { body } = await sim.authorize(authorization({ ...over }), { acquirer });
  const authorizationId = body.authorizationId ?? '';
  const capture = newId('cap');
  await sim.call('POST', `/acquirers/${acquirer}/authorizations/${authorizationId}/captures`, {
    reference: capture,
    amount: 1000,
    currency: 'USD',
  });
  return { authorizationId, capture };
};

const refund = async (acquirer: string, authorizationId: string, amount: number): Promise<string> => {
  const reference = newId('ref');
  await sim.call('POST', `/acquirers/${acquirer}/authorizations/${authorizationId}/refunds`, {
    reference,
    amount,
    currency: 'USD',
  });
  return reference;
};

const inject = async (issuer: string, kinds: readonly InjectedReportError[]) =>
  await sim.call('POST', `/${issuer}/errors`, { errors: kinds.map((kind) => ({ kind })) });

describe('a settlement report', () => {
  it('has a line for each capture and refund, the totals, and an end', async () => {
    const { authorizationId, capture } = await captured('sim');
    const refunded = await refund('sim', authorizationId, 300);
    const { text, records } = await report('sim');
    expect(text.split('\r\n')[0]).toBe(SETTLEMENT_REPORT_COLUMNS.join(','));
    const lines = records.filter(({ record }) => record === 'line');
    expect(lines.map(({ type, reference, amount }) => [type, reference, amount])).toEqual([
      ['capture', capture, '1000'],
      ['refund', refunded, '-300'],
    ]);
    expect(lines[0]?.acquirer_reference).toBe(authorizationId);
    expect(records.filter(({ record }) => record === 'total').map((total) => [total.amount, total.count])).toEqual([
      ['700', '2'],
    ]);
    expect(records.at(-1)).toMatchObject({ record: 'end', count: '2', acquirer: 'sim' });
  });

  it('tells of a refund that failed after it was approved, with a line that takes it back', async () => {
    const { authorizationId } = await captured('sim2', { card: cardNumbered('4000000000005126') });
    const failed = await refund('sim2', authorizationId, 400);
    await sim.letTimePass(failed);
    for (;;) {
      const { body } = await sim.inquire(failed, 'sim2');
      if (body.outcome === 'declined') break;
    }
    const { records } = await report('sim2');
    expect(records.filter(({ reference }) => reference === failed).map(({ type, amount }) => [type, amount])).toEqual([
      ['refund', '-400'],
      ['refund_reversal', '400'],
    ]);
  });

  it('is the same to the byte when it is asked for by its id, whatever happened since', async () => {
    const { text, location } = await report('sim');
    await captured('sim');
    const again = await sim.fetch(location);
    expect(again.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(await again.text()).toBe(text);
    const elsewhere = location.replace('/sim/', '/sim2/');
    expect((await sim.fetch(elsewhere)).status).toBe(404);
  });

  it('makes each error that it is told to make once, in a line of its own, and adds up all the same', async () => {
    for (let payment = 0; payment < 6; payment += 1) await captured('sim');
    const right = (await report('sim')).records.filter(({ record }) => record === 'line');
    await inject('acquirers/sim/settlement-reports', [
      'drop_line',
      'unknown_line',
      'amount',
      'currency',
      'fee',
      'duplicate',
    ]);
    const { records } = await report('sim');
    const wrong = records.filter(({ record }) => record === 'line');
    expect(wrong).toHaveLength(right.length + 1);
    const inCents = (currency: string) =>
      wrong.filter((line) => line.currency === currency).reduce((sum, { amount }) => sum + Number(amount), 0);
    for (const { amount, currency } of records.filter(({ record }) => record === 'total'))
      expect(Number(amount)).toBe(inCents(currency));
    expect(wrong.filter(({ currency }) => currency === 'EUR')).toHaveLength(1);
    expect(wrong.filter(({ fee }) => fee === '25')).toHaveLength(1);
    expect((await report('sim')).records.filter(({ record }) => record === 'line').length).toBe(right.length);
  });

  it('can have a wrong total, or be cut off', async () => {
    await inject('acquirers/sim/settlement-reports', ['wrong_total', 'truncated']);
    const answer = await sim.fetch(`/acquirers/sim/settlement-reports?${periodQuery()}`);
    expect(await answer.text()).not.toMatch(/^end,/m);
  });

  it('needs a period that begins before it ends', async () => {
    const now = new Date().toISOString();
    expect((await sim.fetch(`/acquirers/sim/settlement-reports?from=${now}&to=${now}`)).status).toBe(400);
    expect((await sim.fetch(`/acquirers/nobody/settlement-reports?${periodQuery()}`)).status).toBe(404);
  });
});

describe('a bank statement', () => {
  const payOut = async (over: object = {}): Promise<string> => {
    const reference = newId('po');
    await sim.call('POST', '/banks/sim/payouts', {
      reference,
      amount: 2500,
      currency: 'USD',
      creditor: { name: 'Ada & Söhne <Ltd>', iban: 'GB57PAYF00000100000001' },
      ...over,
    });
    return reference;
  };

  it('of a bank where nothing has moved yet is of its account, with a balance of nothing', async () => {
    const { Document } = new XMLParser({ parseTagValue: false }).parse(
      await (await sim.fetch(`/banks/sim/statements?${periodQuery()}`)).text(),
    );
    const { Ntry, Bal, TxsSummry } = Document.BkToCstmrStmt.Stmt;
    expect([Ntry, TxsSummry.TtlNtries.NbOfNtries]).toEqual([undefined, '0']);
    expect(Bal).toMatchObject([{ Amt: '0.00' }, { Amt: '0.00' }]);
  });

  it('is camt.053: payouts as debits under our reference, returns as credits, balances that lead from one to the other', async () => {
    const paid = await payOut();
    const returned = await payOut({ amount: 400 });
    await sim.call('POST', `/banks/sim/payouts/${returned}/return`, { reason: 'AC04' });
    const yen = await payOut({ amount: 900, currency: 'JPY' });
    const answer = await sim.fetch(`/banks/sim/statements?${periodQuery()}`);
    expect(answer.headers.get('content-type')).toBe('application/xml; charset=utf-8');
    const text = await answer.text();
    const parsed = new XMLParser({ ignoreAttributes: false, parseTagValue: false }).parse(text);
    const [first, second] = parsed.Document.BkToCstmrStmt.Stmt;
    expect([first.Acct.Ccy, second.Acct.Ccy]).toEqual(['JPY', 'USD']);
    expect(first.Ntry.Amt).toEqual({ '@_Ccy': 'JPY', '#text': '900' });
    expect(first.Ntry.NtryDtls.TxDtls.Refs.EndToEndId).toBe(yen);
    const entries = second.Ntry as readonly Entry[];
    expect(
      entries.map((entry) => [entry.NtryDtls.TxDtls.Refs.EndToEndId, entry.CdtDbtInd, entry.Amt['#text']]),
    ).toEqual([
      [paid, 'DBIT', '25.00'],
      [returned, 'DBIT', '4.00'],
      [returned, 'CRDT', '4.00'],
    ]);
    const balances = second.Bal as readonly Pick<Entry, 'Amt' | 'CdtDbtInd'>[];
    expect(balances.map(({ Amt, CdtDbtInd }) => [Amt['#text'], CdtDbtInd])).toEqual([
      ['0.00', 'CRDT'],
      ['25.00', 'DBIT'],
    ]);
    expect(await (await sim.fetch(answer.headers.get('content-location') ?? '')).text()).toBe(text);
  });
});

describe('outside demonstrations', () => {
  it('nobody can have reports spoiled', async () => {
    await sim.restart({ NODE_ENV: 'production' });
    expect((await inject('acquirers/sim/settlement-reports', ['amount'])).status).toBe(404);
    expect((await inject('banks/sim/statements', ['amount'])).status).toBe(404);
    await sim.restart();
  });
});
