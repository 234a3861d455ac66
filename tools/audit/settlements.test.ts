import { newId } from '@payflow/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { paymentReference } from '../../apps/ledger/src/domain/references.js';
import { migrations as ledgerMigrations } from '../../apps/ledger/src/migrations.js';
import { migrations as settlementMigrations } from '../../apps/settlement/src/migrations.js';
import type { Finding } from './invariant.js';
import { ScratchBooks } from './scratch-books.js';
import { settlementsAgree } from './settlements-agree.js';

/** The books of a merchant who was settled, written as the services write them; then somebody breaks them. */

const MIGRATIONS = { settlement: settlementMigrations, ledger: ledgerMigrations } as const;

let books: ScratchBooks<keyof typeof MIGRATIONS>;
beforeAll(async () => {
  books = await ScratchBooks.open(MIGRATIONS);
}, 120_000);
afterAll(async () => {
  await books.close();
});

const RECEIVABLE = 'psp:sim:receivable';
const CASH = 'bank:sim:cash';

interface Line {
  readonly gross: number;
  readonly fee?: number;
  readonly type?: string;
  readonly paymentId?: string | null;
  readonly settlementId?: string | null;
}

const line = async (merchantId: string, sequence: number, told: Line): Promise<string> => {
  const { gross, fee = 0, type = 'capture', paymentId = newId('pay'), settlementId = null } = told;
  const id = newId('bt');
  await books.write(
    'settlement',
    `INSERT INTO balance_transactions (id, merchant_id, currency, acquirer, type, gross_minor, fee_minor, payment_id, sequence,
       settlement_id, occurred_at, available_on) VALUES ($1, $2, 'USD', $3, $4, $5, $6, $7, $8, $9, now(), now())`,
    [
      id,
      merchantId,
      paymentId === null ? null : 'sim',
      type,
      gross,
      fee,
      paymentId,
      paymentId === null ? null : sequence,
      settlementId,
    ],
  );
  await books.write(
    'settlement',
    `INSERT INTO merchant_balances (merchant_id, currency, available_minor) VALUES ($1, 'USD', $2)
     ON CONFLICT (merchant_id, currency) DO UPDATE SET available_minor = merchant_balances.available_minor + $2`,
    [merchantId, gross - fee],
  );
  return id;
};

interface Settled {
  readonly merchantId: string;
  readonly paymentId: string;
  readonly settlementId: string;
}

/** A sale of 1000 with a fee of 30 in a batch of its own: what the acquirer took, and what it paid in. */
const settled = async (): Promise<Settled> => {
  const [merchantId, paymentId, settlementId, runId] = [newId('mer'), newId('pay'), newId('set'), newId('req')];
  const payable = `merchant:${merchantId}:payable`;
  await books.post(
    paymentReference(paymentId, 2),
    [
      [RECEIVABLE, payable, 1000, 'CAPTURE'],
      [payable, 'fees:revenue', 30, 'FEE'],
    ],
    { type: 'CAPTURE', paymentId },
  );
  await books.post(paymentReference(paymentId, 3), [[CASH, RECEIVABLE, 1000]], { type: 'SETTLEMENT', paymentId });
  await books.write('settlement', 'INSERT INTO settlement_runs (id, cutoff_at) VALUES ($1, now())', [runId]);
  await books.write(
    'settlement',
    `INSERT INTO settlements (id, run_id, merchant_id, acquirer, currency, bank, status, cutoff_at, line_count, gross_minor,
       fees_minor, completed_at) VALUES ($1, $2, $3, 'sim', 'USD', 'sim', 'COMPLETED', now(), 1, 1000, 30, now())`,
    [settlementId, runId, merchantId],
  );
  await line(merchantId, 2, { gross: 1000, fee: 30, paymentId, settlementId });
  return { merchantId, paymentId, settlementId };
};

/** Breaks something, and expects to be told so in these words, about this. */
const expectFound = async (breakIt: () => Promise<unknown>, problem: RegExp, id: string): Promise<void> => {
  const tells = ({ problem: told, ids }: Finding): boolean => problem.test(told) && Object.values(ids).includes(id);
  expect((await books.audit(settlementsAgree)).filter(tells)).toEqual([]);
  await breakIt();
  expect((await books.audit(settlementsAgree)).filter(tells)).not.toEqual([]);
};

it('finds nothing in books that agree', async () => {
  await settled();
  expect(await books.audit(settlementsAgree)).toEqual([]);
});

describe('finds', () => {
  it('a payment that settlement has never heard of, and one that only settlement knows', async () => {
    const [unknown, invented] = [newId('pay'), newId('pay')];
    await expectFound(
      () =>
        books.post(paymentReference(unknown, 2), [[RECEIVABLE, `merchant:${newId('mer')}:payable`, 500, 'CAPTURE']], {
          type: 'CAPTURE',
          paymentId: unknown,
        }),
      /settlement has nothing, the ledger 500/,
      unknown,
    );
    await expectFound(
      () => line(newId('mer'), 2, { gross: 700, paymentId: invented }),
      /settlement has 700 .*, the ledger nothing/,
      invented,
    );
  });

  it('a payment whose fee, or whose settlement, the ledger does not have', async () => {
    const { paymentId } = await settled();
    await expectFound(
      () =>
        books.write('settlement', 'UPDATE balance_transactions SET fee_minor = 31 WHERE payment_id = $1', [paymentId]),
      /1000 less 31 fees.*1000 less 30 fees/,
      paymentId,
    );
    const { paymentId: unpaid } = await settled();
    await expectFound(
      () =>
        books.write('settlement', 'UPDATE balance_transactions SET settlement_id = NULL WHERE payment_id = $1', [
          unpaid,
        ]),
      /0 of it settled, the ledger .*1000 of it settled/,
      unpaid,
    );
  });

  it('a batch that is not the sum of its lines', async () => {
    const { settlementId } = await settled();
    await expectFound(
      () => books.write('settlement', 'UPDATE settlements SET gross_minor = 1001 WHERE id = $1', [settlementId]),
      /says 971 net, its lines come to 970/,
      settlementId,
    );
  });

  it('a balance that is not the sum of its transactions', async () => {
    const { merchantId } = await settled();
    await expectFound(
      () =>
        books.write('settlement', 'UPDATE merchant_balances SET available_minor = 971 WHERE merchant_id = $1', [
          merchantId,
        ]),
      /the balance is 971, its transactions come to 970/,
      merchantId,
    );
  });

  it('a merchant whom the ledger owes something else, unless a payout of his is under way', async () => {
    const { merchantId } = await settled();
    await expectFound(
      () => line(merchantId, 0, { gross: -400, type: 'payout', paymentId: null }),
      /settlement owes 570, the ledger says 970/,
      merchantId,
    );
    await books.write(
      'settlement',
      `INSERT INTO payouts (id, merchant_id, run_id, amount_minor, currency, bank, stage, status, due_at)
       SELECT $1, $2, id, 400, 'USD', 'sim', 'DEBITING', 'PENDING', now() FROM settlement_runs LIMIT 1`,
      [newId('po'), merchantId],
    );
    const told = (await books.audit(settlementsAgree)).filter(({ ids }) => ids['merchant'] === merchantId);
    expect(told).toEqual([]);
  });
});
