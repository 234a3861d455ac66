import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { newId } from '@payflow/kernel';
import { eventually } from '@payflow/testing';
import { XMLParser } from 'fast-xml-parser';

import { PaymentStory } from '../../ledger/test/payment-event-source.js';
import { Books } from './books.js';
import { faultsIn } from './iso20022/validation.js';
import { FINANCE, IBAN, SettlementUnderTest, START_TIMEOUT_MS } from './settlement-under-test.js';

jest.setTimeout(400_000);

let settlement: SettlementUnderTest;
let books: Books;
beforeAll(async () => {
  settlement = await SettlementUnderTest.start({ environment: { BANK_PAYOUTS: 'file' } });
  books = new Books(settlement);
}, START_TIMEOUT_MS);
afterEach(async () => {
  await settlement.clearBankModes();
});
afterAll(async () => {
  await settlement.stop();
});

interface Transfer {
  readonly reference: string;
  readonly iban: string;
  readonly amount: number;
}

const due = async (merchantId: string, amount: number): Promise<string> => {
  const story = new PaymentStory(merchantId).created(amount).authorized(amount).captured(amount, 0);
  await settlement.payments.emit(story.emitted());
  return String((await settlement.settle(merchantId))['runId']);
};

const fetched = async (runId: string, part = 1): Promise<{ readonly status: number; readonly text: string }> => {
  const answer = await settlement.app().inject({
    url: `/settlements/runs/${runId}/payout-file?part=${part}`,
    headers: { authorization: await settlement.authorization(FINANCE) },
  });
  return { status: answer.statusCode, text: answer.body };
};

/** The part of the document that says whom to pay. */
interface PaymentDocument {
  readonly Document: {
    readonly CstmrCdtTrfInitn: {
      readonly PmtInf: readonly {
        readonly CdtTrfTxInf: readonly {
          readonly PmtId: { readonly EndToEndId: string };
          readonly CdtrAcct: { readonly Id: { readonly IBAN: string } };
          readonly Amt: { readonly InstdAmt: string };
        }[];
      }[];
    };
  };
}

const parser = new XMLParser({ isArray: (name) => name === 'CdtTrfTxInf' || name === 'PmtInf', parseTagValue: false });

/** As the bank reads it. */
const transfersIn = (xml: string): readonly Transfer[] => {
  const { Document } = parser.parse(xml) as PaymentDocument;
  return Document.CstmrCdtTrfInitn.PmtInf.flatMap(({ CdtTrfTxInf }) =>
    CdtTrfTxInf.map(({ PmtId, CdtrAcct, Amt }) => ({
      reference: PmtId.EndToEndId,
      iban: CdtrAcct.Id.IBAN,
      amount: Math.round(Number(Amt.InstdAmt) * 100),
    })),
  );
};

describe('a payout that goes by file', () => {
  it('is never sent by the bank’s API, and is paid when the bank has paid what the file orders', async () => {
    const merchantId = await settlement.merchant();
    const runId = await due(merchantId, 9_000);
    const { payoutId } = await settlement.payoutIn(merchantId, 'IN_TRANSIT');
    // It is looked at several times meanwhile.
    await eventually(async () => {
      expect((await settlement.list('/payouts', merchantId))[0]).toMatchObject({ attention: expect.any(String) });
    });
    expect(await settlement.bankBook(payoutId)).toEqual([]);
    const { status, text } = await fetched(runId);
    expect([status, await faultsIn(text)]).toEqual([200, []]);
    expect(transfersIn(text)).toEqual([{ reference: payoutId, iban: IBAN.paid, amount: 9_000 }]);
    for (const transfer of transfersIn(text)) await settlement.payAtBank(transfer);
    expect(await settlement.payoutIn(merchantId, 'PAID')).toMatchObject({ attention: null });
    expect(await settlement.bankBook(payoutId)).toHaveLength(1);
    expect(await settlement.posted(merchantId)).toEqual(['PAYOUT', 'PAYOUT_PAID']);
    expect((await fetched(runId)).text).toBe(text);
    await books.known('payout', String(payoutId));
  });

  it('is paid by the bank’s statement alone, where there is no feed', async () => {
    await settlement.setBankMode({ mode: 'unavailable', operation: 'feed' });
    const merchantId = await settlement.merchant();
    const runId = await due(merchantId, 1_234);
    await settlement.payoutIn(merchantId, 'IN_TRANSIT');
    for (const transfer of transfersIn((await fetched(runId)).text)) await settlement.payAtBank(transfer);
    const imported = await books.upload('bank:sim', await books.file('/banks/sim/statements'));
    expect(imported.status).toBeLessThan(300);
    expect(await settlement.payoutIn(merchantId, 'PAID')).toMatchObject({ bankReference: expect.any(String) });
  });

  it('is in one file for ever: what finds its account later is in the next part', async () => {
    const [early, late] = [await settlement.merchant(), newId('mer')];
    await settlement.payments.emit(
      [early, late].flatMap((merchantId) =>
        new PaymentStory(merchantId).created(500).authorized(500).captured(500, 0).emitted(),
      ),
    );
    await eventually(async () => {
      for (const merchantId of [early, late])
        expect(await settlement.balance(merchantId)).toMatchObject([{ pending: 500 }]);
    });
    const { body } = await settlement.post('/settlements/run', {});
    const runId = String(body['runId']);
    await settlement.runDone(runId);
    const first = await settlement.payoutIn(early, 'IN_TRANSIT');
    const one = await fetched(runId);
    expect(transfersIn(one.text)).toMatchObject([{ reference: first['payoutId'] }]);
    expect((await fetched(runId, 2)).status).toBe(409);
    await settlement.put(`/merchants/${late}/payout-account`, { iban: IBAN.paid, name: 'Ada' });
    const second = await settlement.payoutIn(late, 'IN_TRANSIT');
    expect((await fetched(runId)).text).toBe(one.text);
    // Nobody skips a part.
    expect((await fetched(runId, 3)).status).toBe(409);
    expect(transfersIn((await fetched(runId, 2)).text)).toMatchObject([{ reference: second['payoutId'] }]);
  });

  it('is not believed to be paid by a statement that tells of another amount', async () => {
    await settlement.setBankMode({ mode: 'unavailable', operation: 'feed' });
    const merchantId = await settlement.merchant();
    await due(merchantId, 2_000);
    const { payoutId } = await settlement.payoutIn(merchantId, 'IN_TRANSIT');
    await settlement.payAtBank({ reference: payoutId, amount: 1_999, iban: IBAN.paid });
    expect((await books.upload('bank:sim', await books.file('/banks/sim/statements'))).status).toBeLessThan(300);
    await eventually(async () => {
      expect((await settlement.list('/payouts', merchantId))[0]).toMatchObject({
        status: 'IN_TRANSIT',
        attention: expect.stringContaining('PAID of 1999 USD'),
      });
    });
  });

  it('is in a file because it began so, whatever new payouts do', async () => {
    const merchantId = await settlement.merchant();
    const runId = await due(merchantId, 700);
    await settlement.payoutIn(merchantId, 'IN_TRANSIT');
    expect((await fetched(runId, 2)).text).toContain('payout_file_empty');
    // As if it had begun before BANK_PAYOUTS was set to `file`.
    await settlement.database.execute(`UPDATE payouts SET way = 'api', due_at = NULL WHERE run_id = $1`, [runId]);
    expect((await fetched(runId)).text).toContain('payouts_go_by_api');
  });
});
