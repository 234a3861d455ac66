import { WALLET_MERCHANT_ID } from '@payflow/contracts';

import { merchantPayable, pspReceivable } from '../../apps/ledger/src/domain/chart-of-accounts.js';
import { availableAccount, postingReference } from '../../apps/wallet/src/domain/accounts.js';
import { confirmed, type Wrong } from './confirm.ts';
import type { Finding } from './invariant.ts';
import { merged } from './merge.ts';
import type { WalletSources } from './wallet-sources.ts';

/** What moves between wallets and payments goes through it: the wallet as an acquirer of `payment`. */
export const WALLET_RECEIVABLE = pspReceivable('wallet');

/**
 * Each wallet transaction beside everything that was posted under its references. A SUCCESS has moved exactly its amount
 * from the one account to the other, by the posting it names, and its balances are those that this posting left; a FAILED
 * one has moved nothing, or it came back; what is PENDING has moved nothing or has its amount on the way. Nothing is posted
 * for a transaction or hold that does not exist.
 *
 * While traffic runs: what differs is looked at again, the wallet first, since it says that something ended after it was posted.
 */
export const postingsThatDiffer = (sources: WalletSources): AsyncIterable<Finding> =>
  confirmed(sources, idsThatDiffer(sources), (ids) => lookAt(sources, ids));

interface WalletRow {
  readonly id: string;
  readonly type: 'ADD' | 'TRANSFER' | 'PAY' | 'REFUND' | 'WITHDRAW' | 'HOLD';
  readonly status: 'PENDING' | 'SUCCESS' | 'FAILED';
  readonly currency: string;
  readonly amount: string;
  readonly fromWallet: string | null;
  readonly fromOwner: string | null;
  readonly toWallet: string | null;
  readonly toOwner: string | null;
  readonly fromBalanceAfter: string | null;
  readonly toBalanceAfter: string | null;
  readonly ledgerTransaction: string | null;
  readonly postedAt: Date | null;
  readonly reversed: boolean;
}

/** Ids are in byte order already: both columns are. */
const WALLET_ROWS = `
  SELECT t.id, t.type, t.status, t.currency, t.amount_minor::text AS amount, f.id AS "fromWallet", f.owner_id AS "fromOwner",
         o.id AS "toWallet", o.owner_id AS "toOwner", t.from_balance_after::text AS "fromBalanceAfter",
         t.to_balance_after::text AS "toBalanceAfter", t.ledger_transaction_id AS "ledgerTransaction",
         t.posted_at AS "postedAt", t.reversed_at IS NOT NULL AS reversed
    FROM wallet_transactions t LEFT JOIN wallets f ON f.id = t.from_wallet_id LEFT JOIN wallets o ON o.id = t.to_wallet_id
   WHERE $1::text[] IS NULL OR t.id = ANY($1)
   UNION ALL
  SELECT h.id, 'HOLD', 'PENDING', h.currency, h.amount_minor::text, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false
    FROM wallet_holds h WHERE $1::text[] IS NULL OR h.id = ANY($1)
   ORDER BY id`;

type Leg = readonly [
  reference: string,
  transactionId: string,
  recordedAt: number,
  account: string,
  currency: string,
  moved: string,
  balanceAfter: string,
];

interface Posted {
  readonly id: string;
  readonly legs: readonly Leg[];
}

const LEGS = `
  json_agg(json_build_array(t.reference, t.id, round(extract(epoch FROM t.recorded_at) * 1000), a.code, e.currency,
                            (CASE e.direction WHEN 'credit' THEN e.amount ELSE -e.amount END)::text, e.balance_after::text)
           ORDER BY e.recorded_at, e.position, e.line) AS legs`;
const OF_ENTRIES = `
    JOIN entries e ON e.recorded_at = t.recorded_at AND e.position = t.position
    JOIN accounts a ON a.seq = e.account`;
/** References are `wallet:{id}` and `wallet:{id}:{step}`; a semicolon is the character behind the colon. */
const ALL_POSTED = `
  SELECT split_part(t.reference, ':', 2) AS id, ${LEGS} FROM transactions t ${OF_ENTRIES}
   WHERE t.reference >= 'wallet:' AND t.reference < 'wallet;'
   GROUP BY split_part(t.reference, ':', 2) ORDER BY split_part(t.reference, ':', 2) COLLATE "C"`;
const POSTED_OF = `
  SELECT wanted.id, ${LEGS} FROM unnest($1::text[]) AS wanted (id)
    JOIN transactions t ON t.reference >= 'wallet:' || wanted.id AND t.reference < 'wallet:' || wanted.id || ';' ${OF_ENTRIES}
   GROUP BY wanted.id`;

async function* idsThatDiffer({ wallet, ledger, compared }: WalletSources): AsyncGenerator<string> {
  const keys = { left: ({ id }: WalletRow) => id, right: ({ id }: Posted) => id };
  yield* merged(
    wallet.stream<WalletRow>(WALLET_ROWS, [null]),
    ledger.stream<Posted>(ALL_POSTED),
    keys,
    (row, posted) => {
      compared('wallet transactions and holds', 1);
      return differenceOf(row, posted?.legs ?? []) === undefined ? undefined : (row?.id ?? posted?.id);
    },
  );
}

const lookAt = async ({ wallet, ledger }: WalletSources, ids: readonly string[]): Promise<readonly Wrong<string>[]> => {
  // The row of what was posted is there before its posting, its end after it: so the rows are read on both sides of it.
  const before = byId(await wallet.query<WalletRow>(WALLET_ROWS, [ids]));
  const posted = byId(await ledger.query<Posted>(POSTED_OF, [ids]));
  const after = byId(await wallet.query<WalletRow>(WALLET_ROWS, [ids]));
  return ids.flatMap((id) => {
    const problem = differenceOf(before.get(id) ?? after.get(id), posted.get(id)?.legs ?? []);
    return problem === undefined ? [] : [{ suspect: id, finding: { problem, ids: { 'wallet transaction': id } } }];
  });
};

const byId = <Row extends { readonly id: string }>(rows: readonly Row[]): ReadonlyMap<string, Row> =>
  new Map(rows.map((row) => [row.id, row]));

/** What is wrong with it, or nothing. */
const differenceOf = (row: WalletRow | undefined, legs: readonly Leg[]): string | undefined => {
  if (row === undefined) return 'the ledger has postings of a wallet transaction that does not exist';
  if (row.type === 'HOLD') return undefined;
  const nets = netsOf(legs);
  const posted = legs.filter(([reference]) => reference === postingReference(row.id));
  const named = posted.find(([, transactionId]) => transactionId === row.ledgerTransaction);
  if (row.ledgerTransaction !== null && named === undefined)
    return `it is ${row.status} by ${row.ledgerTransaction}, which the ledger has not`;
  if (row.status === 'FAILED' || row.reversed) return leftOver(row, nets);
  if (row.status === 'PENDING') return nets.length === 0 || isOnItsWay(row, nets) ? undefined : otherwise(row, nets);
  if (named === undefined) return 'it is SUCCESS, and its posting is missing';
  if (!hasMoved(row, nets)) return otherwise(row, nets);
  if (row.postedAt?.getTime() !== named[2]) return 'it is SUCCESS at another time than the ledger posted it';
  return balanceThatDiffers(row, legs);
};

interface Net {
  readonly account: string;
  readonly currency: string;
  readonly moved: bigint;
}

/**
 * What all its postings together have moved: accounts that came out even are left out. Debits first. What is held is the
 * wallet's: a payment out of a hold gives the rest of it back in the same posting.
 */
const netsOf = (legs: readonly Leg[]): readonly Net[] => {
  const nets = new Map<string, Net>();
  for (const [, , , code, currency, moved] of legs) {
    const account = walletOf(code);
    const key = `${account} ${currency}`;
    nets.set(key, { account, currency, moved: (nets.get(key)?.moved ?? 0n) + BigInt(moved) });
  }
  return [...nets.values()].filter(({ moved }) => moved !== 0n).sort((a, b) => (a.moved < b.moved ? -1 : 1));
};

const HELD = ':held';
const walletOf = (code: string): string =>
  code.startsWith('user:') && code.endsWith(HELD) ? code.slice(0, -HELD.length) : code;

const leftOver = (row: WalletRow, nets: readonly Net[]): string | undefined =>
  nets.length === 0 ? undefined : `it is ${row.status} and has not come back: ${textOf(nets)}`;

const otherwise = (row: WalletRow, nets: readonly Net[]): string =>
  `it is ${row.status} over ${row.amount} ${row.currency}, and the ledger has ${textOf(nets) || 'moved nothing'}`;

const textOf = (nets: readonly Net[]): string =>
  nets.map(({ account, currency, moved }) => `${account} ${moved} ${currency}`).join(', ');

/** Whether exactly its amount went from where it comes from to where it goes. */
const hasMoved = (row: WalletRow, nets: readonly Net[]): boolean => isMove(row, nets, isTargetOf(row));

const ON_ITS_WAY = /^(?:wallet:claims|bank:[^:]+:(?:in_transit|cash))$/;
const isOnItsWay = (row: WalletRow, nets: readonly Net[]): boolean => {
  const isTarget = isTargetOf(row);
  return isMove(row, nets, (account) => ON_ITS_WAY.test(account) || isTarget(account));
};

const isMove = (row: WalletRow, nets: readonly Net[], isTarget: (account: string) => boolean): boolean => {
  const [from, to, more] = nets;
  if (from === undefined || to === undefined || more !== undefined) return false;
  const amount = BigInt(row.amount);
  return (
    from.moved === -amount &&
    to.moved === amount &&
    from.currency === row.currency &&
    to.currency === row.currency &&
    isSourceOf(row)(from.account) &&
    isTarget(to.account)
  );
};

const walletName = (id: string | null, ownerId: string | null) =>
  id === null || ownerId === null ? undefined : { id, ownerId };

const isSourceOf = (row: WalletRow): ((account: string) => boolean) => {
  const wallet = walletName(row.fromWallet, row.fromOwner);
  const available = wallet && availableAccount(wallet);
  switch (row.type) {
    case 'ADD':
      return (account) => account === merchantPayable(WALLET_MERCHANT_ID);
    case 'REFUND':
      return (account) => account === WALLET_RECEIVABLE;
    default:
      return (account) => account === available;
  }
};

const isTargetOf = (row: WalletRow): ((account: string) => boolean) => {
  const wallet = walletName(row.toWallet, row.toOwner);
  switch (row.type) {
    case 'WITHDRAW':
      return (account) => /^bank:[^:]+:cash$/.test(account);
    case 'PAY':
      return (account) => account === WALLET_RECEIVABLE;
    default:
      return (account) => wallet !== undefined && account === availableAccount(wallet);
  }
};

/** The balances that it shows are those that its postings left. */
const balanceThatDiffers = (row: WalletRow, legs: readonly Leg[]): string | undefined => {
  const sides = [
    ['from', walletName(row.fromWallet, row.fromOwner), row.fromBalanceAfter],
    ['to', walletName(row.toWallet, row.toOwner), row.toBalanceAfter],
  ] as const;
  for (const [side, wallet, shown] of sides) {
    const leg = wallet && legs.findLast(([, , , account]) => account === availableAccount(wallet));
    if (leg !== undefined && leg[6] !== shown)
      return `it shows ${shown ?? 'no'} ${row.currency} as the balance behind it (${side}), the ledger had ${leg[6]}`;
  }
  return undefined;
};
