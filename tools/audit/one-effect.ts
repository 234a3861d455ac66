import { isAcquirer } from '../../apps/acquirer-sim/src/domain/acquirers.js';
import { WALLET_ACQUIRER } from '@payflow/contracts';
import { hasTable } from './broker.ts';
import { confirmed, type Wrong } from './confirm.ts';
import type { Finding, Invariant } from './invariant.ts';
import { merged } from './merge.ts';
import { paymentsWithNews } from './pending-news.ts';
import type { ReadDatabase } from './read-database.ts';
import type { Sources } from './sources.ts';

/**
 * Invariant 4. Keys, operation ids and references stand once. Each line of the acquirers' books is an order of ours with the
 * amount we recorded, and each approval we recorded is a line there. A payment has one live authorization at most, that is:
 * approved, and not voided or reversed before anything was captured.
 *
 * While traffic runs: an order is committed before it is sent and its outcome after the acquirer's book, so an open order may
 * be in the book already and is no difference. Suspects are read again (orders, book, orders) until the grace is over. An
 * approval that nobody wants is live until its reversal is answered: an open void explains it. So does news of the acquirer
 * that is on its way (a refund that failed after it had succeeded).
 */
export const oneEffect: Invariant = {
  number: 4,
  title: 'One request, at most one effect',
  why: 'A payer would be charged twice for one order.',
  async *check(sources) {
    yield* keysWithTwoResources(sources);
    yield* ledgerReferencesTwice(sources);
    yield* referencesAtTwoAcquirers(sources);
    yield* confirmed(sources, ordersThatDiffer(sources), (references) => lookAtOrders(sources, references));
    yield* confirmed(sources, paymentsHeldTwice(sources), (paymentIds) => lookAtHolds(sources, paymentIds));
  },
};

/** Keys whose resource is made by the request: no two keys may have made the same one. */
const MADE_BY_REQUEST = `resource_id ~ '^(cap|ref|vod|ltx|acc)_' OR scope ~ ' POST /(payments|payments/authorize|tokens)$'`;

async function* keysWithTwoResources({ databases, compared }: Sources): AsyncGenerator<Finding> {
  for (const [service, database] of databases) {
    if (!(await hasTable(database, 'idempotency_keys'))) continue;
    const [row] = await database.query<{ keys: number }>('SELECT count(*)::int AS keys FROM idempotency_keys');
    compared('keys', row?.keys ?? 0);
    const twice = await database.query<{ scope: string; key: string; resources: string }>(
      `SELECT scope, key, string_agg(resource_id, ', ') AS resources FROM idempotency_keys
        GROUP BY scope, key HAVING count(*) > 1 LIMIT 1000`,
    );
    for (const { key, resources } of twice)
      yield { problem: `${service} has the key more than once, for ${resources}`, ids: { key } };
    const shared = await database.query<{ resource_id: string; keys: number }>(
      `SELECT resource_id, count(*)::int AS keys FROM idempotency_keys
        WHERE ${MADE_BY_REQUEST} GROUP BY resource_id HAVING count(*) > 1 LIMIT 1000`,
    );
    for (const { resource_id, keys } of shared)
      yield { problem: `${service} has ${keys} keys that made the same resource`, ids: { resource: resource_id } };
  }
}

async function* ledgerReferencesTwice({ ledger, compared }: Sources): AsyncGenerator<Finding> {
  const [row] = await ledger.query<{ references: number }>('SELECT count(*)::int AS references FROM transactions');
  compared('ledger references', row?.references ?? 0);
  for (const column of ['reference', 'event_id'] as const) {
    const twice = await ledger.query<{ value: string; transactions: string }>(
      `SELECT ${column} AS value, string_agg(id, ', ') AS transactions FROM transactions
        WHERE ${column} IS NOT NULL GROUP BY ${column} HAVING count(*) > 1 LIMIT 1000`,
    );
    for (const { value, transactions } of twice)
      yield { problem: `posted more than once: ${transactions}`, ids: { [column.replace('_id', '')]: value } };
  }
}

async function* referencesAtTwoAcquirers({ acquirers }: Sources): AsyncGenerator<Finding> {
  const twice = await acquirers.query<{ reference: string; books: string }>(
    `SELECT reference, string_agg(acquirer, ', ') AS books FROM operations
      GROUP BY reference HAVING count(*) > 1 LIMIT 1000`,
  );
  for (const { reference, books } of twice)
    yield { problem: `the operation stands more than once in the books of ${books}`, ids: { reference } };
}

/** An approved line of a book. */
interface BookRow {
  readonly reference: string;
  readonly acquirer: string;
  readonly operation: string;
  readonly paymentId: string;
  readonly amount: string;
  readonly currency: string;
  /** Of an authorization: voided or reversed before anything was captured. */
  readonly undone: boolean;
}

interface OrderRow {
  readonly reference: string;
  readonly acquirer: string;
  readonly operation: string;
  readonly paymentId: string;
  readonly amount: string;
  readonly currency: string;
  readonly state: string;
  readonly open: boolean;
  readonly unwanted: string | null;
}

const BOOK = `
  SELECT b.reference, b.acquirer, b.operation, b.payment_id AS "paymentId", b.amount_minor::text AS amount, b.currency,
         coalesce(a.closed AND a.captured_minor = 0, false) AS undone
    FROM book b
    LEFT JOIN authorizations a ON a.acquirer = b.acquirer AND a.reference = b.reference
   WHERE b.outcome = 'approved' AND ($1::text[] IS NULL OR b.reference = ANY($1))
   ORDER BY b.reference COLLATE "C"`;

/** The wallet service's, as it stands in its own database. */
const WALLET_BOOK = `
  SELECT o.reference, '${WALLET_ACQUIRER}' AS acquirer, CASE o.operation WHEN 'reverse' THEN 'void' ELSE o.operation END AS operation,
         o.payment_id AS "paymentId", o.amount_minor::text AS amount, o.currency,
         coalesce(o.operation = 'authorize' AND h.completed_at IS NOT NULL AND h.confirmed_minor = 0, false) AS undone
    FROM wallet_orders o LEFT JOIN wallet_holds h ON h.id = o.hold_id
   WHERE o.status = 'APPROVED' AND ($1::text[] IS NULL OR o.reference = ANY($1))
   ORDER BY o.reference COLLATE "C"`;

/** An acquirers' book, and whose lines are in it. */
interface Book {
  readonly database: ReadDatabase;
  readonly lines: string;
  readonly has: (acquirer: string) => boolean;
}

const booksOf = ({ acquirers, databases }: Sources): readonly Book[] => {
  const wallet = databases.get('wallet');
  return [
    { database: acquirers, lines: BOOK, has: isAcquirer },
    ...(wallet === undefined
      ? []
      : [{ database: wallet, lines: WALLET_BOOK, has: (name: string) => name === WALLET_ACQUIRER }]),
  ];
};

const ORDERS = `
  SELECT attempt_id AS reference, acquirer, operation, payment_id AS "paymentId", amount_minor::text AS amount, currency,
         state, next_recovery_at IS NOT NULL AS open, unwanted
    FROM payment_attempts WHERE $1::text[] IS NULL OR attempt_id = ANY($1)
   ORDER BY attempt_id COLLATE "C"`;

async function* ordersThatDiffer(sources: Sources): AsyncGenerator<string> {
  const books = booksOf(sources);
  const elsewhere = new Set<string>();
  for (const book of books)
    yield* differencesIn(book, sources, (acquirer) => {
      if (!books.some(({ has }) => has(acquirer))) elsewhere.add(acquirer);
    });
  if (elsewhere.size > 0) sources.note(`not compared, for their books are elsewhere: ${[...elsewhere].join(', ')}`);
}

async function* differencesIn(
  book: Book,
  { payment, compared }: Sources,
  skipped: (acquirer: string) => void,
): AsyncGenerator<string> {
  const keyOf = ({ reference }: { readonly reference: string }): string => reference;
  yield* merged(
    book.database.stream<BookRow>(book.lines, [null]),
    payment.stream<OrderRow>(ORDERS, [null]),
    { left: keyOf, right: keyOf },
    (line, order) => {
      if (order !== undefined && !book.has(order.acquirer)) {
        skipped(order.acquirer);
        return undefined;
      }
      compared('orders', 1);
      return problemOf(line, order) === undefined ? undefined : (line ?? order)?.reference;
    },
  );
}

/** What is wrong with a line and the order that it should be. */
const problemOf = (line: BookRow | undefined, order: OrderRow | undefined): string | undefined => {
  if (line === undefined)
    return order?.state === 'approved' ? 'recorded as approved; the acquirer’s book does not have it' : undefined;
  if (order === undefined) return `an approved ${line.operation} that nobody here ordered`;
  if (order.operation !== line.operation || order.acquirer !== line.acquirer || order.paymentId !== line.paymentId)
    return `the book has it as ${line.operation} of ${line.paymentId} at ${line.acquirer}`;
  if (order.open || order.unwanted !== null) return undefined;
  if (order.state !== 'approved')
    return line.undone ? undefined : `the acquirer approved the ${line.operation}; here it is ${order.state}`;
  // A void releases what is left by the acquirer's own count.
  const differs = line.operation !== 'void' && (line.amount !== order.amount || line.currency !== order.currency);
  return differs
    ? `the book says ${line.amount} ${line.currency}, here it is ${order.amount} ${order.currency}`
    : undefined;
};

/** Orders, book, orders: what was approved before the book was read must be in it, and what is in it must be known after. */
const lookAtOrders = async (sources: Sources, references: readonly string[]): Promise<readonly Wrong<string>[]> => {
  const { payment } = sources;
  const before = byReference(await payment.query<OrderRow>(ORDERS, [references]));
  const read = booksOf(sources).map(
    async ({ database, lines: statement }) => await database.query<BookRow>(statement, [references]),
  );
  const lines = byReference((await Promise.all(read)).flat());
  const after = byReference(await payment.query<OrderRow>(ORDERS, [references]));
  const wrong = references.flatMap((reference) => {
    const line = lines.get(reference);
    const order = (line === undefined ? before : after).get(reference);
    const problem = problemOf(line, order);
    return problem === undefined ? [] : [{ reference, problem, payment: (order ?? line)?.paymentId ?? '' }];
  });
  const news = await paymentsWithNews(
    sources,
    wrong.map(({ payment: paymentId }) => paymentId),
  );
  return wrong
    .filter((one) => !news.has(one.payment))
    .map(({ reference, problem, payment: paymentId }) => ({
      suspect: reference,
      finding: { problem, ids: { reference, payment: paymentId } },
    }));
};

const byReference = <Row extends { readonly reference: string }>(rows: readonly Row[]): ReadonlyMap<string, Row> =>
  new Map(rows.map((row) => [row.reference, row]));

const LIVE = `
  SELECT o.payment_id AS id, string_agg(a.acquirer || ' ' || a.reference, ', ' ORDER BY a.reference) AS holds
    FROM authorizations a JOIN operations o ON o.acquirer = a.acquirer AND o.reference = a.reference
   WHERE NOT (a.closed AND a.captured_minor = 0) AND ($1::text[] IS NULL OR o.payment_id = ANY($1))
   GROUP BY o.payment_id HAVING count(*) > 1`;

async function* paymentsHeldTwice({ acquirers, compared }: Sources): AsyncGenerator<string> {
  const [row] = await acquirers.query<{ authorizations: number }>(
    'SELECT count(*)::int AS authorizations FROM authorizations WHERE NOT (closed AND captured_minor = 0)',
  );
  compared('live authorizations', row?.authorizations ?? 0);
  for await (const rows of acquirers.stream<{ id: string }>(LIVE, [null])) for (const { id } of rows) yield id;
}

const lookAtHolds = async (
  { acquirers, payment }: Sources,
  paymentIds: readonly string[],
): Promise<readonly Wrong<string>[]> => {
  const held = await acquirers.query<{ id: string; holds: string }>(LIVE, [paymentIds]);
  const reversing = await payment.query<{ id: string }>(
    `SELECT DISTINCT payment_id AS id FROM payment_attempts
      WHERE payment_id = ANY($1) AND operation = 'void' AND next_recovery_at IS NOT NULL`,
    [paymentIds],
  );
  const underWay = new Set(reversing.map(({ id }) => id));
  return held
    .filter(({ id }) => !underWay.has(id))
    .map(({ id, holds }) => ({
      suspect: id,
      finding: { problem: `more than one live authorization: ${holds}`, ids: { payment: id } },
    }));
};
