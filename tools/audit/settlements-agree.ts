import { WALLET_ACQUIRER, WALLET_MERCHANT_ID } from '@payflow/contracts';

import { confirmed, type Wrong } from './confirm.ts';
import type { Finding, Invariant } from './invariant.ts';
import { merged } from './merge.ts';
import type { ReadDatabase } from './read-database.ts';
import type { Sources } from './sources.ts';

/**
 * Invariant 13. What a merchant is owed is counted in two places: settlement's balance transactions, and the ledger's account
 * of what is payable to him. Each payment, each batch and each merchant is compared; a batch is the sum of its lines, and a
 * line is in one batch.
 *
 * While traffic runs: both sides follow the payments' events, each at its own pace. What differs is looked at again until the
 * grace is over.
 */
export const settlementsAgree: Invariant = {
  number: 13,
  title: 'Settlements, ledger and merchants’ balances agree',
  why: 'A merchant would be paid twice, or not what he is owed.',
  async *check(sources) {
    const settlement = sources.databases.get('settlement');
    if (settlement === undefined) {
      sources.note('there is no settlement service in this installation');
      return;
    }
    const all = { ...sources, settlement };
    yield* totalsThatDiffer(all);
    yield* balancesThatDiffer(all);
    sources.progress('payments and their balance transactions');
    yield* confirmed(sources, paymentsThatDiffer(all), (suspects) => paymentsStillDiffer(all, suspects));
    sources.progress('merchants and what the ledger owes them');
    yield* confirmed(sources, merchantsThatDiffer(all), (suspects) => merchantsStillDiffer(all, suspects));
  },
};

interface SettlementSources extends Sources {
  readonly settlement: ReadDatabase;
}

/** A batch that is done is the sum of its lines. Both are read in one statement. */
async function* totalsThatDiffer({ settlement, compared }: SettlementSources): AsyncGenerator<Finding> {
  const batches = settlement.stream<{ id: string; told: string; lines: string; right: boolean }>(
    `SELECT s.id, s.net_minor::text AS told, coalesce(l.net, 0)::text AS lines,
            (s.line_count, s.gross_minor - s.refunds_minor - s.disputes_minor, s.fees_minor)
              IS NOT DISTINCT FROM (coalesce(l.count, 0), coalesce(l.gross, 0), coalesce(l.fee, 0)) AS "right"
       FROM settlements s
       LEFT JOIN (SELECT settlement_id, count(*) AS count, sum(gross_minor) AS gross, sum(fee_minor) AS fee, sum(net_minor) AS net
                    FROM balance_transactions WHERE settlement_id IS NOT NULL AND acquirer IS NOT NULL
                   GROUP BY settlement_id) l ON l.settlement_id = s.id
      WHERE s.status = 'COMPLETED'`,
  );
  for await (const portion of batches) {
    compared('settlements', portion.length);
    for (const { id, told, lines, right } of portion)
      if (!right) yield { problem: `the batch says ${told} net, its lines come to ${lines}`, ids: { settlement: id } };
  }
}

/** What is kept beside the balance transactions is their sum. One statement, one moment. */
async function* balancesThatDiffer({ settlement, compared }: SettlementSources): AsyncGenerator<Finding> {
  const rows = settlement.stream<{ merchant: string; currency: string; kept: string; sum: string }>(
    `SELECT coalesce(b.merchant_id, t.merchant_id) AS merchant, coalesce(b.currency, t.currency) AS currency,
            coalesce(b.kept, 0)::text AS kept, coalesce(t.sum, 0)::text AS sum
       FROM (SELECT merchant_id, currency, pending_minor + available_minor AS kept FROM merchant_balances) b
       FULL JOIN (SELECT merchant_id, currency, sum(net_minor) AS sum FROM balance_transactions GROUP BY merchant_id, currency) t
         USING (merchant_id, currency)`,
  );
  for await (const portion of rows) {
    compared('merchant balances', portion.length);
    for (const { merchant, currency, kept, sum } of portion)
      if (kept !== sum && merchant !== WALLET_MERCHANT_ID)
        yield { problem: `the balance is ${kept}, its transactions come to ${sum}`, ids: { merchant, currency } };
  }
}

/** What one payment has brought its merchant: by settlement, or by the ledger. */
interface Brought {
  readonly payment: string;
  readonly gross: string;
  readonly fee: string;
  /** What the acquirer has paid in for it. */
  readonly settled: string;
}

const BY_SETTLEMENT = `
  SELECT payment_id AS payment, sum(gross_minor)::text AS gross, sum(fee_minor)::text AS fee,
         coalesce(sum(gross_minor) FILTER (WHERE settlement_id IS NOT NULL AND acquirer <> '${WALLET_ACQUIRER}'), 0)::text AS settled
    FROM balance_transactions WHERE payment_id IS NOT NULL AND ($1::text[] IS NULL OR payment_id = ANY($1))
   GROUP BY payment_id ORDER BY payment_id COLLATE "C"`;

/** An acquirer's receivable grows by what it took and shrinks by what it paid in: SETTLEMENT. Fees are what merchants paid. */
const SIGNED = `CASE e.direction WHEN 'debit' THEN e.amount ELSE -e.amount END`;
const BY_LEDGER = `
  SELECT * FROM (
    SELECT e.payment_id AS payment,
           coalesce(sum(${SIGNED}) FILTER (WHERE a.code ~ '^psp:[^:]+:receivable$' AND e.entry_type <> 'SETTLEMENT'), 0)::text AS gross,
           coalesce(sum(-(${SIGNED})) FILTER (WHERE a.code = 'fees:revenue'), 0)::text AS fee,
           coalesce(sum(-(${SIGNED})) FILTER (WHERE a.code ~ '^psp:[^:]+:receivable$' AND e.entry_type = 'SETTLEMENT'), 0)::text
             AS settled,
           bool_or(e.entry_type IN ('CAPTURE', 'REFUND', 'REFUND_REVERSAL', 'CHARGEBACK', 'CHARGEBACK_REVERSAL')) AS moved
      FROM entries e JOIN accounts a ON a.seq = e.account AND (a.code ~ '^psp:[^:]+:receivable$' OR a.code = 'fees:revenue')
      JOIN transactions t ON t.position = e.position AND t.reference NOT LIKE 'wallet:%'
     WHERE e.payment_id IS NOT NULL AND ($1::text[] IS NULL OR e.payment_id = ANY($1))
     GROUP BY e.payment_id) AS of_payment
   WHERE moved ORDER BY payment COLLATE "C"`;

const same = (one: Brought | undefined, other: Brought | undefined): boolean =>
  one?.gross === other?.gross && one?.fee === other?.fee && one?.settled === other?.settled;

async function* paymentsThatDiffer({ ledger, settlement, compared }: SettlementSources): AsyncGenerator<string> {
  const key = ({ payment }: Brought): string => payment;
  yield* merged(
    settlement.stream<Brought>(BY_SETTLEMENT, [null]),
    ledger.stream<Brought>(BY_LEDGER, [null]),
    { left: key, right: key },
    (ours, posted) => {
      compared('payments', 1);
      return same(ours, posted) ? undefined : (ours ?? posted)?.payment;
    },
  );
}

const paymentsStillDiffer = async (
  { ledger, settlement }: SettlementSources,
  payments: readonly string[],
): Promise<readonly Wrong<string>[]> => {
  const ours = byPayment(await settlement.query<Brought>(BY_SETTLEMENT, [payments]));
  const posted = byPayment(await ledger.query<Brought>(BY_LEDGER, [payments]));
  return payments.flatMap((payment) => {
    const [here, there] = [ours.get(payment), posted.get(payment)];
    if (same(here, there)) return [];
    const problem = `settlement has ${shown(here)}, the ledger ${shown(there)}`;
    return [{ suspect: payment, finding: { problem, ids: { payment } } }];
  });
};

const byPayment = (rows: readonly Brought[]): ReadonlyMap<string, Brought> =>
  new Map(rows.map((row) => [row.payment, row]));

const shown = (brought: Brought | undefined): string =>
  brought === undefined ? 'nothing' : `${brought.gross} less ${brought.fee} fees, ${brought.settled} of it settled`;

/** All that a merchant is owed in a currency, reserves included. */
interface Owed {
  readonly key: string;
  readonly merchant: string;
  readonly currency: string;
  readonly owed: string;
}

const MERCHANT = `split_part(code, ':', 2)`;
const OWED_BY_LEDGER = `
  SELECT ${MERCHANT} || ' ' || currency AS key, ${MERCHANT} AS merchant, currency, sum(balance)::text AS owed FROM accounts
   WHERE code ~ '^merchant:[^:]+:(payable|reserve)$' AND ${MERCHANT} <> '${WALLET_MERCHANT_ID}'
     AND ($1::text[] IS NULL OR ${MERCHANT} || ' ' || currency = ANY($1))
   GROUP BY ${MERCHANT}, currency HAVING sum(balance) <> 0 ORDER BY (${MERCHANT} || ' ' || currency) COLLATE "C"`;
const OWED_BY_SETTLEMENT = `
  SELECT merchant_id || ' ' || currency AS key, merchant_id AS merchant, currency,
         (pending_minor + available_minor + reserved_minor)::text AS owed FROM merchant_balances
   WHERE merchant_id <> '${WALLET_MERCHANT_ID}' AND pending_minor + available_minor + reserved_minor <> 0
     AND ($1::text[] IS NULL OR merchant_id || ' ' || currency = ANY($1))
   ORDER BY (merchant_id || ' ' || currency) COLLATE "C"`;

async function* merchantsThatDiffer({ ledger, settlement, compared }: SettlementSources): AsyncGenerator<Owed> {
  const key = (owed: Owed): string => owed.key;
  yield* merged(
    settlement.stream<Owed>(OWED_BY_SETTLEMENT, [null]),
    ledger.stream<Owed>(OWED_BY_LEDGER, [null]),
    { left: key, right: key },
    (ours, posted) => {
      compared('merchants', 1);
      return ours?.owed === posted?.owed ? undefined : (ours ?? posted);
    },
  );
}

/** A payout that is under way (one that people must look at has no timer) is counted by settlement before the ledger has it; nobody may call it wrong yet. */
const merchantsStillDiffer = async (
  { ledger, settlement }: SettlementSources,
  suspects: readonly Owed[],
): Promise<readonly Wrong<Owed>[]> => {
  const keys = suspects.map(({ key }) => key);
  const ours = new Map((await settlement.query<Owed>(OWED_BY_SETTLEMENT, [keys])).map((row) => [row.key, row.owed]));
  const posted = new Map((await ledger.query<Owed>(OWED_BY_LEDGER, [keys])).map((row) => [row.key, row.owed]));
  const underWay = new Set(
    (
      await settlement.query<{ key: string }>(
        `SELECT DISTINCT merchant_id || ' ' || currency AS key FROM payouts
          WHERE merchant_id || ' ' || currency = ANY($1) AND due_at IS NOT NULL AND stage NOT IN ('PAID', 'NOT_DEBITED', 'REVERSED', 'RETURNED')`,
        [keys],
      )
    ).map(({ key }) => key),
  );
  return suspects.flatMap((suspect) => {
    const { key, merchant, currency } = suspect;
    const [here, there] = [ours.get(key) ?? '0', posted.get(key) ?? '0'];
    if (here === there || underWay.has(key)) return [];
    const problem = `settlement owes ${here}, the ledger says ${there} ${currency}`;
    return [{ suspect, finding: { problem, ids: { merchant } } }];
  });
};
