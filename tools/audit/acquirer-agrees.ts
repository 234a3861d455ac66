import { isAcquirer } from '../../apps/acquirer-sim/src/domain/acquirers.js';
import { confirmed, type Wrong } from './confirm.ts';
import type { Finding, Invariant } from './invariant.ts';
import { merged } from './merge.ts';
import { paymentsWithNews } from './pending-news.ts';
import type { Sources } from './sources.ts';

/**
 * Invariant 10. For each payment, acquirer and currency: what the acquirer's book says was captured less refunded less
 * charged back is what the ledger took up as receivable from him, whether or not it is settled by now. And PayFlow's own accounts sum to zero: what merchants are owed is receivables,
 * bank and money in transit less fees.
 *
 * While traffic runs: both sides are read one after the other, so an order that is just being carried out is on one of them
 * only. Where they differ they are read again until the grace is over; then a difference is explained only by orders that
 * are open in `payment_attempts` and by the acquirer's news on their way, which nobody may call right or wrong yet.
 */
export const acquirerAgrees: Invariant = {
  number: 10,
  title: 'The acquirers’ books agree with the ledger',
  why: 'What they took and we did not count is lost to the merchant; the other way round we pay it out of our pocket.',
  async *check(sources) {
    yield* ownAccountsOutOfBalance(sources);
    yield* receivablesOfNoPayment(sources);
    yield* confirmed(sources, netsThatDiffer(sources), (suspects) => lookAt(sources, suspects));
  },
};

/** One payment at one acquirer in one currency. */
interface Net {
  readonly key: string;
  readonly paymentId: string;
  readonly acquirer: string;
  readonly currency: string;
  readonly net: string;
}

const KEY = (payment: string, acquirer: string, currency: string): string =>
  `concat_ws(' ', ${payment}, ${acquirer}, ${currency})`;

const SIGNED = `CASE e.direction WHEN 'debit' THEN e.amount ELSE -e.amount END`;
const ACQUIRER = `split_part(a.code, ':', 2)`;
const LEDGER_NETS = `
  SELECT ${KEY('e.payment_id', ACQUIRER, 'e.currency')} AS key, e.payment_id AS "paymentId", ${ACQUIRER} AS acquirer,
         e.currency, sum(${SIGNED})::text AS net
    FROM entries e JOIN accounts a ON a.seq = e.account AND a.code ~ '^psp:[^:]+:receivable$'
   WHERE e.payment_id IS NOT NULL AND e.entry_type <> 'SETTLEMENT' AND ($1::text[] IS NULL OR e.payment_id = ANY($1))
   GROUP BY e.payment_id, ${ACQUIRER}, e.currency HAVING sum(${SIGNED}) <> 0
   ORDER BY ${KEY('e.payment_id', ACQUIRER, 'e.currency')} COLLATE "C"`;

const ORDERED = `
  SELECT reference, payment_id, acquirer, currency,
         CASE operation WHEN 'capture' THEN amount_minor ELSE -amount_minor END AS taken
    FROM book WHERE operation IN ('capture', 'refund') AND outcome = 'approved'`;
const DISPUTED = `
  SELECT dispute_id, payment_id, acquirer, currency,
         CASE kind WHEN 'CHARGEBACK' THEN -amount_minor ELSE amount_minor END AS taken
    FROM chargebacks`;
const netsIn = (lines: string, condition: string): string => `
  SELECT ${KEY('payment_id', 'acquirer', 'currency')} AS key, payment_id AS "paymentId", acquirer, currency,
         sum(taken)::text AS net
    FROM (${lines}) AS line
   WHERE ($1::text[] IS NULL OR payment_id = ANY($1)) AND ${condition}
   GROUP BY payment_id, acquirer, currency HAVING sum(taken) <> 0
   ORDER BY ${KEY('payment_id', 'acquirer', 'currency')} COLLATE "C"`;
const BOOK_NETS = netsIn(`${ORDERED} UNION ALL ${DISPUTED}`, 'true');
const NETS_OF_ORDERS = netsIn(ORDERED, 'reference = ANY($2)');

async function* netsThatDiffer({ acquirers, ledger, compared, note }: Sources): AsyncGenerator<Net> {
  const elsewhere = new Set<string>();
  const keys = { left: ({ key }: Net) => key, right: ({ key }: Net) => key };
  yield* merged(
    ledger.stream<Net>(LEDGER_NETS, [null]),
    acquirers.stream<Net>(BOOK_NETS, [null]),
    keys,
    (ours, theirs) => {
      const one = ours ?? theirs;
      if (one !== undefined && !isAcquirer(one.acquirer)) {
        elsewhere.add(one.acquirer);
        return undefined;
      }
      compared('payments', 1);
      return ours?.net === theirs?.net ? undefined : one;
    },
  );
  if (elsewhere.size > 0) note(`not compared, for their books are elsewhere: ${[...elsewhere].join(', ')}`);
}

const lookAt = async (sources: Sources, suspects: readonly Net[]): Promise<readonly Wrong<Net>[]> => {
  const paymentIds = suspects.map(({ paymentId }) => paymentId);
  const ours = netsOf(await sources.ledger.query<Net>(LEDGER_NETS, [paymentIds]));
  const theirs = netsOf(await sources.acquirers.query<Net>(BOOK_NETS, [paymentIds]));
  const inFlight = await openOrders(sources, paymentIds);
  const news = await paymentsWithNews(sources, paymentIds);
  return suspects.flatMap((suspect) => {
    if (news.has(suspect.paymentId)) return [];
    const posted = ours.get(suspect.key) ?? 0n;
    const taken = theirs.get(suspect.key) ?? 0n;
    if (posted === taken || posted + (inFlight.get(suspect.key) ?? 0n) === taken) return [];
    const { paymentId: payment, acquirer, currency } = suspect;
    const problem = `the acquirer's book says ${taken}, the ledger says ${posted} ${currency}`;
    return [{ suspect, finding: { problem, ids: { payment, acquirer } } }];
  });
};

const netsOf = (rows: readonly Net[]): ReadonlyMap<string, bigint> =>
  new Map(rows.map(({ key, net }) => [key, BigInt(net)]));

/** What the acquirer's book has of orders that are still open here: not yet counted, and not forgotten. */
const openOrders = async (
  { payment, acquirers }: Sources,
  paymentIds: readonly string[],
): Promise<ReadonlyMap<string, bigint>> => {
  const open = await payment.query<{ attempt_id: string }>(
    `SELECT attempt_id FROM payment_attempts
      WHERE payment_id = ANY($1) AND operation IN ('capture', 'refund') AND next_recovery_at IS NOT NULL`,
    [paymentIds],
  );
  const rows = await acquirers.query<Net>(NETS_OF_ORDERS, [paymentIds, open.map((row) => row.attempt_id)]);
  return netsOf(rows);
};

async function* receivablesOfNoPayment({ ledger }: Sources): AsyncGenerator<Finding> {
  const rows = await ledger.query<{ id: string; code: string }>(
    `SELECT e.id, a.code FROM entries e JOIN accounts a ON a.seq = e.account AND a.code ~ '^psp:[^:]+:receivable$'
      WHERE e.payment_id IS NULL AND a.code <> 'psp:wallet:receivable' LIMIT 1000`,
  );
  for (const { id, code } of rows)
    yield { problem: 'a receivable that belongs to no payment', ids: { entry: id, account: code } };
}

/** Receivables, merchants, wallets, fees and bank are one closed circle: money enters it by an acquirer and leaves it by a bank. */
async function* ownAccountsOutOfBalance({ ledger, compared }: Sources): AsyncGenerator<Finding> {
  const rows = await ledger.query<{ currency: string; rest: string; accounts: number }>(
    `SELECT currency, sum(balance)::text AS rest, count(*)::int AS accounts FROM accounts
      WHERE code ~ '^(psp|merchant|fees|bank|user|wallet):' GROUP BY currency`,
  );
  for (const { currency, rest, accounts } of rows) {
    compared('own accounts', accounts);
    if (rest !== '0')
      yield { problem: `merchants, wallets, receivables, bank and fees differ by ${rest}`, ids: { currency } };
  }
}
