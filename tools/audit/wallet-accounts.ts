import { WALLET_MERCHANT_ID } from '@payflow/contracts';

import { merchantPayable } from '../../apps/ledger/src/domain/chart-of-accounts.js';
import { CLAIMS_ACCOUNT, heldAccount } from '../../apps/wallet/src/domain/accounts.js';
import { confirmed, type Wrong } from './confirm.ts';
import type { Finding } from './invariant.ts';
import { merged } from './merge.ts';
import { WALLET_RECEIVABLE } from './wallet-postings.ts';
import type { WalletSources } from './wallet-sources.ts';

/** No account of a person was ever below zero, or could be. One snapshot: what is found is wrong at once. */
export async function* belowZero({ ledger, compared }: WalletSources): AsyncGenerator<Finding> {
  const [accounts] = await ledger.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM accounts WHERE code >= 'user:' AND code < 'user;'`,
  );
  compared('accounts of wallets', accounts?.count ?? 0);
  const entries = await ledger.query<{ id: string; code: string; balance: string }>(
    `SELECT e.id, a.code, e.balance_after::text AS balance FROM accounts a JOIN entries e ON e.account = a.seq
      WHERE a.code >= 'user:' AND a.code < 'user;' AND e.balance_after < 0 ORDER BY e.recorded_at LIMIT 1000`,
  );
  for (const { id, code, balance } of entries)
    yield { problem: `a wallet had ${balance}`, ids: { entry: id, account: code } };
  const unbounded = await ledger.query<{ code: string; floor: string | null; balance: string }>(
    `SELECT code, floor::text, balance::text FROM accounts
      WHERE code >= 'user:' AND code < 'user;' AND (floor IS DISTINCT FROM 0 OR balance < 0) LIMIT 1000`,
  );
  for (const { code, floor, balance } of unbounded)
    yield { problem: `a wallet with the floor ${floor ?? 'none'} and ${balance}`, ids: { account: code } };
}

interface Held {
  readonly key: string;
  readonly held: string;
}

const HELD_IN_LEDGER = `
  SELECT code || ' ' || currency AS key, balance::text AS held FROM accounts
   WHERE code >= 'user:' AND code < 'user;' AND code LIKE '%:held' AND balance <> 0
     AND ($1::text[] IS NULL OR code || ' ' || currency = ANY($1))
   ORDER BY (code || ' ' || currency) COLLATE "C"`;
const OPEN_HOLDS = `
  SELECT w.owner_id AS "ownerId", w.id, h.currency, sum(h.amount_minor - h.confirmed_minor - h.released_minor)::text AS held,
         bool_or(h.step IS NOT NULL) AS "underWay"
    FROM wallet_holds h JOIN wallets w ON w.id = h.wallet_id
   WHERE h.status IN ('PENDING', 'PLACED')
   GROUP BY w.owner_id, w.id, h.currency
   ORDER BY ('user:' || w.owner_id || ':wallet:' || w.id || ':held ' || h.currency) COLLATE "C"`;

interface HoldsRow {
  readonly ownerId: string;
  readonly id: string;
  readonly currency: string;
  readonly held: string;
  readonly underWay: boolean;
}

const keyOf = (row: HoldsRow): string => `${heldAccount(row)} ${row.currency}`;

/** What the held account of a wallet has is what its open holds hold; a step that is under way may be on one side only. */
export const holdsThatDiffer = (sources: WalletSources): AsyncIterable<Finding> =>
  confirmed(sources, accountsThatDiffer(sources), (keys) => lookAtHolds(sources, keys));

async function* accountsThatDiffer({ wallet, ledger, compared }: WalletSources): AsyncGenerator<string> {
  const keys = { left: ({ key }: Held) => key, right: keyOf };
  yield* merged(
    ledger.stream<Held>(HELD_IN_LEDGER, [null]),
    wallet.stream<HoldsRow>(OPEN_HOLDS),
    keys,
    (inLedger, open) => {
      compared('wallets with holds', 1);
      if ((inLedger?.held ?? '0') === (open?.held ?? '0')) return undefined;
      return inLedger?.key ?? (open && keyOf(open));
    },
  );
}

const lookAtHolds = async (
  { wallet, ledger }: WalletSources,
  keys: readonly string[],
): Promise<readonly Wrong<string>[]> => {
  const inLedger = new Map(
    (await ledger.query<Held>(HELD_IN_LEDGER, [keys])).map(({ key, held }) => [key, held] as const),
  );
  const open = new Map((await wallet.query<HoldsRow>(OPEN_HOLDS)).map((row) => [keyOf(row), row] as const));
  return keys.flatMap((key) => {
    const holds = open.get(key);
    const [ours, theirs] = [holds?.held ?? '0', inLedger.get(key) ?? '0'];
    if (ours === theirs || holds?.underWay === true) return [];
    const problem = `the held account has ${theirs}, the open holds have ${ours}`;
    return [{ suspect: key, finding: { problem, ids: { account: key.split(' ', 1)[0] ?? key } } }];
  });
};

/** Nobody else posts on the accounts that money waits on. One snapshot. */
export async function* strangersOnClearingAccounts({ ledger }: WalletSources): AsyncGenerator<Finding> {
  const rows = await ledger.query<{ id: string; reference: string; code: string }>(
    `SELECT e.id, t.reference, a.code FROM accounts a
       JOIN entries e ON e.account = a.seq JOIN transactions t ON t.position = e.position
      WHERE (a.code = ANY($1) OR a.code ~ '^bank:[^:]+:in_transit$' OR (a.code >= 'user:' AND a.code < 'user;'))
        AND t.reference !~ '^wallet:' AND NOT (a.code ~ '^bank:' AND t.reference ~ '^payout:')
        AND NOT (a.code = $2 AND t.reference ~ '^payflow:payment:') LIMIT 1000`,
    [[CLAIMS_ACCOUNT, WALLET_RECEIVABLE], WALLET_RECEIVABLE],
  );
  for (const { id, reference, code } of rows)
    yield { problem: 'a posting that nobody has any business to make', ids: { entry: id, account: code, reference } };
}

interface Waiting {
  readonly key: string;
  /** What certainly waits there, and what perhaps does: its posting is under way. */
  readonly surely: string;
  readonly perhaps: string;
}

const WAITING = `
  SELECT '${CLAIMS_ACCOUNT} ' || t.currency AS key,
         COALESCE(sum(t.amount_minor) FILTER (WHERE c.status = 'OPEN'), 0)::text AS surely,
         COALESCE(sum(t.amount_minor) FILTER (WHERE c.status <> 'OPEN'), 0)::text AS perhaps
    FROM wallet_claims c JOIN wallet_transactions t ON t.id = c.transaction_id
   WHERE c.status IN ('OPENING', 'OPEN', 'PAYING', 'RETURNING') GROUP BY t.currency
   UNION ALL
  SELECT 'bank:' || w.bank || ':in_transit ' || t.currency,
         COALESCE(sum(t.amount_minor) FILTER (WHERE w.stage IN ('SENDING', 'ASKING', 'CANCELING')), 0)::text,
         COALESCE(sum(t.amount_minor) FILTER (WHERE w.stage IN ('DEBITING', 'SETTLING', 'REVERSING')), 0)::text
    FROM wallet_withdrawals w JOIN wallet_transactions t ON t.id = w.transaction_id
   WHERE w.stage IN ('DEBITING', 'SENDING', 'ASKING', 'CANCELING', 'SETTLING', 'REVERSING') GROUP BY w.bank, t.currency`;
/** What merchants are paid out, on its way to the same bank. */
const PAYOUTS_WAITING = `
  SELECT 'bank:' || bank || ':in_transit ' || currency AS key,
         COALESCE(sum(amount_minor) FILTER (WHERE stage IN ('SENDING', 'ASKING', 'CANCELING')), 0)::text AS surely,
         COALESCE(sum(amount_minor) FILTER (WHERE stage IN ('DEBITING', 'SETTLING', 'REVERSING')), 0)::text AS perhaps
    FROM payouts WHERE stage IN ('DEBITING', 'SENDING', 'ASKING', 'CANCELING', 'SETTLING', 'REVERSING')
   GROUP BY bank, currency`;
const WAITING_IN_LEDGER = `
  SELECT code || ' ' || currency AS key, balance::text AS held FROM accounts
   WHERE code = '${CLAIMS_ACCOUNT}' OR code ~ '^bank:[^:]+:in_transit$'`;

/** What waits at addresses and on its way to the bank is what is open in the wallet service, and in payouts. */
export const waitingMoneyThatDiffers = (sources: WalletSources): AsyncIterable<Finding> =>
  confirmed(sources, always(), () => lookAtWaiting(sources));

async function* always(): AsyncGenerator<string> {
  yield await Promise.resolve('waiting money');
}

const byKey = (rows: readonly Waiting[]): ReadonlyMap<string, Waiting> => new Map(rows.map((row) => [row.key, row]));

const lookAtWaiting = async ({ wallet, databases, ledger }: WalletSources): Promise<readonly Wrong<string>[]> => {
  const withdrawn = byKey(await wallet.query<Waiting>(WAITING));
  const paidOut = byKey((await databases.get('settlement')?.query<Waiting>(PAYOUTS_WAITING)) ?? []);
  const held = new Map((await ledger.query<Held>(WAITING_IN_LEDGER)).map((row) => [row.key, row.held] as const));
  return [...new Set([...withdrawn.keys(), ...paidOut.keys(), ...held.keys()])].flatMap((key) => {
    const balance = BigInt(held.get(key) ?? 0);
    const surely = BigInt(withdrawn.get(key)?.surely ?? 0) + BigInt(paidOut.get(key)?.surely ?? 0);
    const perhaps = BigInt(withdrawn.get(key)?.perhaps ?? 0) + BigInt(paidOut.get(key)?.perhaps ?? 0);
    if (balance >= surely && balance <= surely + perhaps) return [];
    const problem = `the account has ${balance}, on their way are ${surely}${perhaps > 0n ? ` to ${surely + perhaps}` : ''}`;
    return [{ suspect: 'waiting money', finding: { problem, ids: { account: key } } }];
  });
};

interface OfPayment {
  readonly key: string;
  readonly code: string;
  readonly payment: string | null;
  readonly net: string;
}

/** By payment: fees, and what payers of additions take back, are PayFlow's own matter, with its own merchant. */
const NETS_OF_PAYMENTS = `
  SELECT a.code || ' ' || COALESCE(e.payment_id, '') AS key, a.code, e.payment_id AS payment,
         sum(CASE e.direction WHEN 'credit' THEN e.amount ELSE -e.amount END)::text AS net
    FROM accounts a JOIN entries e ON e.account = a.seq
   WHERE a.code = ANY($1) AND e.entry_type <> 'FEE' AND e.entry_type NOT LIKE 'CHARGEBACK%' AND ($2::text[] IS NULL OR e.payment_id = ANY($2))
   GROUP BY a.code, e.payment_id
  HAVING sum(CASE e.direction WHEN 'credit' THEN e.amount ELSE -e.amount END) <> 0`;
const CLEARED = [WALLET_RECEIVABLE, merchantPayable(WALLET_MERCHANT_ID)];

/**
 * Of each payment, what came into the wallets' clearing accounts has left them: what a wallet paid was captured, what was
 * captured for an addition was added or refunded. Unless it is under way: in a saga here, in an order at `payment`, or as an
 * event that the ledger has not applied.
 */
export const paymentsNotCleared = (sources: WalletSources): AsyncIterable<Finding> =>
  confirmed(sources, netsOfPayments(sources), (nets) => lookAtPayments(sources, nets));

async function* netsOfPayments({ ledger }: WalletSources): AsyncGenerator<OfPayment> {
  for await (const portion of ledger.stream<OfPayment>(NETS_OF_PAYMENTS, [CLEARED, null])) yield* portion;
}

const lookAtPayments = async (
  { wallet, payment, ledger }: WalletSources,
  suspects: readonly OfPayment[],
): Promise<readonly Wrong<OfPayment>[]> => {
  const ids = suspects.flatMap(({ payment: id }) => id ?? []);
  const open = new Set([
    ...(await idsIn(
      wallet,
      `SELECT payment_id AS id FROM wallet_additions
        WHERE payment_id = ANY($1) AND stage IN ('PAYING', 'WAITING', 'POSTING', 'REFUNDING')`,
      ids,
    )),
    ...(await idsIn(
      wallet,
      `SELECT payment_id AS id FROM wallet_holds WHERE payment_id = ANY($1) AND step IS NOT NULL`,
      ids,
    )),
    ...(await idsIn(
      wallet,
      `SELECT payment_id AS id FROM wallet_transactions WHERE payment_id = ANY($1) AND status = 'PENDING'`,
      ids,
    )),
    ...(await idsIn(
      payment,
      `SELECT payment_id AS id FROM payment_attempts WHERE payment_id = ANY($1) AND next_recovery_at IS NOT NULL`,
      ids,
    )),
  ]);
  const now = new Map((await ledger.query<OfPayment>(NETS_OF_PAYMENTS, [CLEARED, ids])).map((net) => [net.key, net]));
  return suspects.flatMap((suspect) => {
    const { code, payment: id } = suspect;
    const net = id === null ? suspect : now.get(suspect.key);
    if (net === undefined || (id !== null && open.has(id))) return [];
    const problem = id === null ? `${net.net} that belong to no payment` : `${net.net} of it have stayed there`;
    return [{ suspect, finding: { problem, ids: { account: code, ...(id === null ? {} : { payment: id }) } } }];
  });
};

const idsIn = async (
  database: WalletSources['wallet'],
  statement: string,
  ids: readonly string[],
): Promise<readonly string[]> => (await database.query<{ id: string }>(statement, [ids])).map(({ id }) => id);
