import { confirmed, type Wrong } from './confirm.ts';
import type { Finding } from './invariant.ts';
import { merged } from './merge.ts';
import type { WalletSources } from './wallet-sources.ts';

/**
 * What the bank's own book has under a reference is what the ledger has as gone to that bank for it: paid once, and less
 * what came back, whether a person withdrew it or a merchant was paid out. While a payment of the bank is under way, and nobody
 * has heard its last word yet, they may differ.
 */
export const bankAgrees = (sources: WalletSources): AsyncIterable<Finding> =>
  confirmed(sources, payoutsThatDiffer(sources), (suspects) => lookAt(sources, suspects));

/** Stages after which neither side changes. */
const ENDED = ['NOT_DEBITED', 'PAID', 'REVERSED', 'RETURNED'];

interface Paid {
  readonly key: string;
  readonly bank: string;
  readonly transaction: string;
  readonly net: string;
}

const BOOK = `
  SELECT bank || ' ' || reference || ' ' || currency AS key, bank, reference AS transaction,
         sum(CASE kind WHEN 'CREDIT' THEN amount_minor ELSE -amount_minor END)::text AS net
    FROM bank_book WHERE $1::text[] IS NULL OR reference = ANY($1)
   GROUP BY bank, reference, currency HAVING sum(CASE kind WHEN 'CREDIT' THEN amount_minor ELSE -amount_minor END) <> 0
   ORDER BY (bank || ' ' || reference || ' ' || currency) COLLATE "C"`;

const BANK = `split_part(a.code, ':', 2)`;
const TRANSACTION = `split_part(t.reference, ':', 2)`;
const SIGNED = `CASE e.direction WHEN 'credit' THEN e.amount ELSE -e.amount END`;
const KEY = `${BANK} || ' ' || ${TRANSACTION} || ' ' || e.currency`;
const POSTED = `
  SELECT ${KEY} AS key, ${BANK} AS bank, ${TRANSACTION} AS transaction, sum(${SIGNED})::text AS net
    FROM accounts a JOIN entries e ON e.account = a.seq JOIN transactions t ON t.position = e.position
   WHERE a.code ~ '^bank:[^:]+:cash$'
     AND ((t.reference >= 'wallet:' AND t.reference < 'wallet;') OR (t.reference >= 'payout:' AND t.reference < 'payout;'))
     AND ($1::text[] IS NULL OR ${TRANSACTION} = ANY($1))
   GROUP BY a.code, ${TRANSACTION}, e.currency HAVING sum(${SIGNED}) <> 0
   ORDER BY (${KEY}) COLLATE "C"`;

async function* payoutsThatDiffer({ ledger, acquirers, compared }: WalletSources): AsyncGenerator<Paid> {
  const keys = { left: ({ key }: Paid) => key, right: ({ key }: Paid) => key };
  yield* merged(ledger.stream<Paid>(POSTED, [null]), acquirers.stream<Paid>(BOOK, [null]), keys, (posted, paid) => {
    compared('payouts', 1);
    return posted?.net === paid?.net ? undefined : (posted ?? paid);
  });
}

const lookAt = async (
  { wallet, databases, ledger, acquirers }: WalletSources,
  suspects: readonly Paid[],
): Promise<readonly Wrong<Paid>[]> => {
  const ids = suspects.map(({ transaction }) => transaction);
  const posted = netsOf(await ledger.query<Paid>(POSTED, [ids]));
  const paid = netsOf(await acquirers.query<Paid>(BOOK, [ids]));
  const withdrawals = await wallet.query<{ id: string }>(
    `SELECT transaction_id AS id FROM wallet_withdrawals WHERE transaction_id = ANY($1) AND stage <> ALL($2)`,
    [ids, ENDED],
  );
  const payouts =
    (await databases
      .get('settlement')
      ?.query<{ id: string }>('SELECT id FROM payouts WHERE id = ANY($1) AND stage <> ALL($2)', [ids, ENDED])) ?? [];
  const underWay = new Set([...withdrawals, ...payouts].map(({ id }) => id));
  return suspects.flatMap((suspect) => {
    const { key, bank, transaction } = suspect;
    const [ours, theirs] = [posted.get(key) ?? '0', paid.get(key) ?? '0'];
    if (ours === theirs || underWay.has(transaction)) return [];
    const problem = `the bank's book says ${theirs}, the ledger says ${ours}`;
    return [{ suspect, finding: { problem, ids: { 'bank reference': transaction, bank } } }];
  });
};

const netsOf = (rows: readonly Paid[]): ReadonlyMap<string, string> => new Map(rows.map(({ key, net }) => [key, net]));
