import { JOURNAL_CONSUMER } from '../../apps/ledger/src/events/payment-events.controller.js';
import { evolve } from '../../apps/payment/src/domain/evolve.js';
import { type INVARIANTS, violatedInvariants } from '../../apps/payment/src/domain/invariants.js';
import { capturableMinor, initialPayment, pendingCaptureMinor } from '../../apps/payment/src/domain/payment.js';
import { loadHistories, type StoredEvent } from '../../apps/payment/src/store/payment-events.js';
import { confirmed, type Wrong } from './confirm.ts';
import { publicationsOf } from './expected-journal.ts';
import { paymentPages } from './histories.ts';
import type { Finding, Invariant } from './invariant.ts';
import { merged } from './merge.ts';
import type { Sources } from './sources.ts';

/**
 * Invariant 3. The domain's own functions look at every state that a payment ever had; the same conditions in SQL look at
 * its row; where chargebacks and refunds are more than was captured, people were told; floors are compared with each debit; and what the memo accounts hold for a payment is what its authorization
 * still holds.
 *
 * While traffic runs: a history only grows and a row changes as a whole, so the first three need no grace. Holds are read
 * in the ledger and then in the payments; where they differ, the ledger is asked how far it has come with the payment, and
 * the history is folded to exactly there.
 */
export const amountsWithinBounds: Invariant = {
  number: 3,
  title: 'Captured ≤ authorized, refunded ≤ captured',
  why: 'A payer would pay more than he agreed to, or a merchant would give back what he never got.',
  async *check(sources) {
    yield* statesOutOfBounds(sources);
    yield* rowsOutOfBounds(sources);
    yield* overdrawnUnseen(sources);
    yield* accountsBelowFloor(sources);
    yield* holdsOfNobody(sources);
    yield* confirmed(sources, holdsThatDiffer(sources), (suspects) => lookAtHolds(sources, suspects));
  },
};

async function* statesOutOfBounds(sources: Sources): AsyncGenerator<Finding> {
  for await (const page of paymentPages(sources)) {
    sources.compared('payments', page.length);
    const histories = await loadHistories(sources.payment, page);
    for (const [paymentId, history] of histories) {
      const violation = firstViolation(history);
      sources.compared('states', history.length);
      if (violation !== undefined)
        yield {
          problem: `${violation.names.join(', ')} does not hold`,
          ids: { payment: paymentId, version: String(violation.version) },
        };
    }
  }
}

const firstViolation = (history: readonly StoredEvent[]) => {
  let state = initialPayment;
  for (const { version, event } of history) {
    state = evolve(state, event);
    const names = violatedInvariants(state);
    if (names.length > 0) return { version, names };
  }
  return undefined;
};

/** The same as the functions they are named after, on the columns of `payments`. */
const CONDITIONS = {
  captured_within_authorized: 'captured_minor + pending_capture_minor <= authorized_minor',
  refunded_within_captured: 'refunded_minor + pending_refund_minor <= captured_minor',
  fee_within_captured: 'fee_minor <= captured_minor',
  amounts_not_negative: `least(amount, authorized_minor, capturable_minor, captured_minor, pending_capture_minor,
                               refunded_minor, pending_refund_minor, fee_minor, disputed_minor, charged_back_minor,
                               dispute_fee_minor) >= 0`,
  authorized_once: 'authorized_minor IN (0, amount)',
} as const satisfies Readonly<Record<keyof typeof INVARIANTS, string>>;

async function* rowsOutOfBounds({ payment }: Sources): AsyncGenerator<Finding> {
  for (const [name, condition] of Object.entries(CONDITIONS))
    for await (const rows of payment.stream<{ id: string }>(`SELECT id FROM payments WHERE NOT (${condition})`))
      for (const { id } of rows) yield { problem: `${name} does not hold in the read model`, ids: { payment: id } };
}

/** A chargeback is a fact that may meet a refund: then more went back than was captured, and people must know of it. */
async function* overdrawnUnseen({ payment }: Sources): AsyncGenerator<Finding> {
  const rows = payment.stream<{ id: string }>(
    `SELECT id FROM payments p
      WHERE refunded_minor + charged_back_minor > captured_minor AND charged_back_minor > 0
        AND NOT EXISTS (SELECT FROM payment_exceptions e WHERE e.payment_id = p.id AND e.kind = 'overdrawn')`,
  );
  for await (const portion of rows)
    for (const { id } of portion)
      yield { problem: 'more was refunded and charged back than captured, and nobody was told', ids: { payment: id } };
}

async function* accountsBelowFloor({ ledger, compared }: Sources): AsyncGenerator<Finding> {
  const [row] = await ledger.query<{ floors: number }>(
    'SELECT count(*)::int AS floors FROM accounts WHERE floor IS NOT NULL',
  );
  compared('accounts with a floor', row?.floors ?? 0);
  const rows = ledger.stream<{ id: string; code: string; balance_after: bigint }>(
    `SELECT e.id, a.code, e.balance_after FROM accounts a
       JOIN entries e ON e.account = a.seq AND e.direction = 'debit' AND e.balance_after < a.floor
      WHERE a.floor IS NOT NULL`,
  );
  for await (const portion of rows)
    for (const { id, code, balance_after } of portion)
      yield { problem: `a debit left ${balance_after}, below the floor`, ids: { entry: id, account: code } };
}

const HELD = `accounts a ON a.seq = e.account AND starts_with(a.code, 'memo:merchant:')`;
const SIGNED = `CASE e.direction WHEN 'credit' THEN e.amount ELSE -e.amount END`;

async function* holdsOfNobody({ ledger }: Sources): AsyncGenerator<Finding> {
  const strangers = await ledger.query<{ id: string; code: string }>(
    `SELECT e.id, a.code FROM entries e JOIN accounts a ON a.seq = e.account AND starts_with(a.code, 'memo:')
      WHERE e.payment_id IS NULL LIMIT 1000`,
  );
  for (const { id, code } of strangers)
    yield { problem: 'an entry of a hold belongs to no payment', ids: { entry: id, account: code } };
  const sums = await ledger.query<{ currency: string; rest: string }>(
    `SELECT currency, sum(balance)::text AS rest FROM accounts WHERE starts_with(code, 'memo:')
      GROUP BY currency HAVING sum(balance) <> 0`,
  );
  for (const { currency, rest } of sums)
    yield { problem: `the holds of merchants and of acquirers differ by ${rest}`, ids: { currency } };
}

interface HeldRow {
  readonly id: string;
  readonly held: string;
}

/** Payments that hold something, by the ledger and by the read models: the others are on neither side. */
async function* holdsThatDiffer({ ledger, payment, compared }: Sources): AsyncGenerator<string> {
  const inLedger = ledger.stream<HeldRow>(
    `SELECT e.payment_id AS id, sum(${SIGNED})::text AS held FROM entries e JOIN ${HELD}
      WHERE e.payment_id IS NOT NULL
      GROUP BY e.payment_id HAVING sum(${SIGNED}) <> 0 ORDER BY e.payment_id COLLATE "C"`,
  );
  const inPayments = payment.stream<HeldRow>(
    `SELECT id, (capturable_minor + pending_capture_minor)::text AS held FROM payments
      WHERE capturable_minor + pending_capture_minor <> 0 ORDER BY id COLLATE "C"`,
  );
  const keys = { left: ({ id }: HeldRow) => id, right: ({ id }: HeldRow) => id };
  yield* merged(inLedger, inPayments, keys, (posted, open) => {
    compared('open holds', 1);
    return posted?.held === open?.held ? undefined : (posted?.id ?? open?.id);
  });
}

const lookAtHolds = async (
  { ledger, payment }: Sources,
  paymentIds: readonly string[],
): Promise<readonly Wrong<string>[]> => {
  const posted = await ledger.query<{ id: string; applied: bigint; held: string }>(
    `SELECT wanted.id, coalesce(g.next_sequence - 1, 0) AS applied,
            coalesce((SELECT sum(${SIGNED}) FROM entries e JOIN ${HELD} WHERE e.payment_id = wanted.id), 0)::text AS held
       FROM unnest($2::text[]) AS wanted (id) LEFT JOIN gates g ON g.consumer = $1 AND g.aggregate_id = wanted.id`,
    [JOURNAL_CONSUMER, paymentIds],
  );
  const histories = await loadHistories(payment, paymentIds);
  return posted.flatMap(({ id, applied, held }) => {
    const state = publicationsOf(histories.get(id) ?? [])[Number(applied) - 1]?.payment ?? initialPayment;
    const open = capturableMinor(state) + pendingCaptureMinor(state);
    if (String(open) === held) return [];
    const problem = `the memo accounts hold ${held}, the authorization holds ${open}`;
    return [{ suspect: id, finding: { problem, ids: { payment: id } } }];
  });
};
