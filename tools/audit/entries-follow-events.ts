import { JOURNAL_CONSUMER } from '../../apps/ledger/src/events/payment-events.controller.js';
import { loadHistories, type StoredEvent } from '../../apps/payment/src/store/payment-events.js';
import { confirmed, type Wrong } from './confirm.ts';
import { expectedTransaction, type JournalTransaction, legText, publicationsOf } from './expected-journal.ts';
import { paymentPages } from './histories.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { Sources } from './sources.ts';

/**
 * Invariant 2. Each history is folded to the events it publishes by the payment service's own function, and each of those
 * to its postings by the ledger's own function; the result is compared with the journal, leg by leg.
 *
 * While traffic runs: the ledger is read first, in a snapshot with its gate, which says up to which event it has posted.
 * The history is read afterwards, so it has at least those events, and exactly they are compared: that the ledger is a
 * little behind is no difference. What was published when a payment was first looked at must be posted when the grace is over.
 */
export const entriesFollowEvents: Invariant = {
  number: 2,
  title: 'Ledger entries are what the events imply',
  why: 'An entry too few, too many or made up is money that was counted wrong.',
  async *check(sources) {
    yield* confirmed(sources, suspectsIn(sources), (suspects) => lookAt(sources, suspects, () => undefined));
  },
};

interface Suspect {
  readonly paymentId: string;
  /** How many published events the ledger must have posted at last; known after the first look. */
  readonly goal: number | undefined;
}

async function* suspectsIn(sources: Sources): AsyncGenerator<Suspect> {
  const { compared } = sources;
  for await (const page of paymentPages(sources)) {
    compared('payments', page.length);
    const fresh = page.map((paymentId) => ({ paymentId, goal: undefined }));
    for (const { suspect } of await lookAt(sources, fresh, compared)) yield suspect;
  }
  yield* unknownPayments(sources);
}

/** Payments that only the ledger knows. */
async function* unknownPayments({ ledger, payment }: Sources): AsyncGenerator<Suspect> {
  const portions = ledger.stream<{ payment_id: string }>(
    'SELECT DISTINCT payment_id FROM transactions WHERE payment_id IS NOT NULL',
  );
  for await (const portion of portions) {
    const rows = await payment.query<{ id: string }>(
      `SELECT id FROM unnest($1::text[]) AS known (id)
        WHERE NOT EXISTS (SELECT FROM payment_events WHERE payment_id = id AND version = 1)`,
      [portion.map((row) => row.payment_id)],
    );
    for (const { id } of rows) yield { paymentId: id, goal: undefined };
  }
}

const lookAt = async (
  sources: Sources,
  suspects: readonly Suspect[],
  count: Sources['compared'],
): Promise<readonly Wrong<Suspect>[]> => {
  const paymentIds = suspects.map(({ paymentId }) => paymentId);
  const { applied, journal } = await readJournal(sources, paymentIds);
  const { histories, numbered } = await readHistories(sources, paymentIds);
  count('transactions', journal.length);
  const posted = new Map(paymentIds.map((paymentId) => [paymentId, [] as PostedTransaction[]]));
  for (const transaction of journal) posted.get(transaction.paymentId)?.push(transaction);
  return suspects.flatMap(({ paymentId, goal }) => {
    const publications = publicationsOf(histories.get(paymentId) ?? []);
    const reached = applied.get(paymentId) ?? 0;
    const mustReach = goal ?? publications.length;
    const expected = publications.slice(0, reached).flatMap((publication) => expectedTransaction(publication) ?? []);
    const finding =
      difference(paymentId, expected, posted.get(paymentId) ?? []) ??
      miscounted(paymentId, publications.length, numbered.get(paymentId) ?? 0) ??
      behind(paymentId, reached, mustReach);
    return finding === undefined ? [] : [{ suspect: { paymentId, goal: mustReach }, finding }];
  });
};

interface PostedTransaction extends JournalTransaction {
  readonly paymentId: string;
  readonly transactionId: string;
}

/** How far the ledger has come with each payment, and all it posted for it, of one moment. */
const readJournal = async ({ ledger }: Sources, paymentIds: readonly string[]) =>
  await ledger.snapshot(async (sql) => {
    const gates = await sql.query<{ aggregate_id: string; next_sequence: bigint }>(
      'SELECT aggregate_id, next_sequence FROM gates WHERE consumer = $1 AND aggregate_id = ANY($2)',
      [JOURNAL_CONSUMER, paymentIds],
    );
    const rows = await sql.query<{
      payment_id: string;
      id: string;
      reference: string;
      type: string;
      lines: readonly LineRow[] | null;
    }>(
      `SELECT t.payment_id, t.id, t.reference, t.type,
              json_agg(json_build_array(e.line, e.direction, a.code, e.amount::text, e.currency, e.entry_type) ORDER BY e.line)
                FILTER (WHERE e.line IS NOT NULL) AS lines
         FROM transactions t
         LEFT JOIN entries e ON e.recorded_at = t.recorded_at AND e.position = t.position
         LEFT JOIN accounts a ON a.seq = e.account
        -- What a wallet posts about a payment is invariant 12's.
        WHERE t.payment_id = ANY($1) AND t.reference NOT LIKE 'wallet:%'
        GROUP BY t.position ORDER BY t.position`,
      [paymentIds],
    );
    return {
      applied: new Map(gates.map((gate) => [gate.aggregate_id, Number(gate.next_sequence) - 1])),
      journal: rows.map((row): PostedTransaction => ({
        paymentId: row.payment_id,
        transactionId: row.id,
        reference: row.reference,
        type: row.type,
        lines: (row.lines ?? []).map(lineText),
      })),
    };
  });

type LineRow = readonly [number, string, string, string, string, string];

const lineText = ([line, direction, account, amountMinor, currency, entryType]: LineRow): string =>
  legText({ line, direction, account, amountMinor, currency, entryType });

/** Each history, and how many events of it the outbox has numbered, of one moment. */
const readHistories = async (
  { payment }: Sources,
  paymentIds: readonly string[],
): Promise<{
  readonly histories: ReadonlyMap<string, readonly StoredEvent[]>;
  readonly numbered: ReadonlyMap<string, number>;
}> =>
  await payment.snapshot(async (sql) => {
    const histories = await loadHistories(sql, paymentIds);
    const rows = await sql.query<{ aggregate_id: string; last_sequence: bigint }>(
      'SELECT aggregate_id, last_sequence FROM publication_sequences WHERE aggregate_id = ANY($1)',
      [paymentIds],
    );
    return { histories, numbered: new Map(rows.map((row) => [row.aggregate_id, Number(row.last_sequence)])) };
  });

/** The first transaction that is missing, differs, or is too many. */
const difference = (
  paymentId: string,
  expected: readonly JournalTransaction[],
  posted: readonly PostedTransaction[],
): Finding | undefined => {
  const left = new Map(posted.map((transaction) => [transaction.transactionId, transaction]));
  for (const { reference, type, lines } of expected) {
    const found = posted.find((transaction) => transaction.reference === reference);
    if (found === undefined)
      return { problem: `${type} is missing in the journal`, ids: { payment: paymentId, reference } };
    left.delete(found.transactionId);
    const wrong = lines.findIndex((line, index) => found.lines[index] !== line);
    if (wrong !== -1 || found.lines.length !== lines.length || found.type !== type) {
      const at = wrong === -1 ? lines.length : wrong;
      return {
        problem: `the events imply "${lines[at] ?? type}", the journal has "${found.lines[at] ?? found.type}"`,
        ids: { payment: paymentId, transaction: found.transactionId, reference },
      };
    }
  }
  for (const { transactionId, reference, type } of left.values())
    return {
      problem: `no event that the ledger has applied implies this ${type}`,
      ids: { payment: paymentId, transaction: transactionId, reference },
    };
  return undefined;
};

const miscounted = (paymentId: string, implied: number, numbered: number): Finding | undefined =>
  implied === numbered
    ? undefined
    : {
        problem: `the history implies ${implied} published events, the outbox has numbered ${numbered}`,
        ids: { payment: paymentId },
      };

const behind = (paymentId: string, reached: number, mustReach: number): Finding | undefined =>
  reached >= mustReach
    ? undefined
    : {
        problem: `the ledger has applied event ${reached}, published was ${mustReach}`,
        ids: { payment: paymentId },
      };
