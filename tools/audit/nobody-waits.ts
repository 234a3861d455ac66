import { paymentConfigSchema } from '../../apps/payment/src/payment.config.js';
import { confirmed } from './confirm.ts';
import type { Finding, Invariant } from './invariant.ts';
import { overdueTimers } from './overdue-timers.ts';
import type { Sources } from './sources.ts';

/**
 * Invariant 11: no payment waits for an acquirer past its last inquiry unless people have it on their list, none waits for a
 * review that nobody has, and nothing that has its time is forgotten: orders, webhooks, mails, reviews, payouts.
 *
 * While traffic runs: a payment and its orders are read in one statement, so they fit together. A timer that has just run out
 * is taken up within the poll of the service, and a last inquiry may be under way: an order is forgotten only if the same time
 * is still over when the grace is, and unlisted only if it still is then.
 */
export const nobodyWaits: Invariant = {
  number: 11,
  title: 'Nobody waits without somebody knowing',
  why: 'A payer whose money is held for nothing, and no one who looks at it.',
  async *check(sources) {
    yield* waitingForNothing(sources);
    yield* stuckWithoutItem(sources);
    yield* reviewsOfNobody(sources);
    yield* overdueTimers(sources);
  },
};

/** A payment that says that an acquirer has to answer, without an order that is open. */
async function* waitingForNothing({ payment, compared }: Sources): AsyncGenerator<Finding> {
  const [row] = await payment.query<{ waiting: number }>(
    `SELECT count(*)::int AS waiting FROM payments WHERE status IN ('PROCESSING', 'REQUIRES_ACTION')`,
  );
  compared('waiting payments', row?.waiting ?? 0);
  const rows = payment.stream<{ id: string; status: string }>(
    `SELECT id, status FROM payments p WHERE status IN ('PROCESSING', 'REQUIRES_ACTION') AND NOT EXISTS (
       SELECT FROM payment_attempts a WHERE a.payment_id = p.id AND a.next_recovery_at IS NOT NULL)`,
  );
  for await (const portion of rows)
    for (const { id, status } of portion) yield { problem: `${status}, and no order is open`, ids: { payment: id } };
}

interface Unlisted {
  readonly payment_id: string;
  readonly operation_id: string;
  readonly why: string;
}

/**
 * Orders that were asked about more often than is planned, and those that were told to be stuck, without an item for people.
 * A payer who takes his time is nobody's case.
 */
const UNLISTED = `
  SELECT s.payment_id, s.operation_id, s.why FROM (
    SELECT payment_id, attempt_id AS operation_id, 'every inquiry has gone by' AS why FROM payment_attempts
     WHERE next_recovery_at IS NOT NULL AND state <> 'action_required' AND inquiries > $1
    UNION ALL
    SELECT payment_id, data->>'operationId', 'it was told to be stuck' FROM payment_events WHERE type = 'PaymentStuck') AS s
  WHERE NOT EXISTS (SELECT FROM payment_exceptions e WHERE e.operation_id = s.operation_id AND e.kind = 'stuck')
    AND ($2::text[] IS NULL OR s.operation_id = ANY($2))`;

async function* stuckWithoutItem(sources: Sources): AsyncGenerator<Finding> {
  const { payment } = sources;
  const inquiriesMax = paymentConfigSchema.shape.RECOVERY_DELAYS_SECONDS.parse(
    process.env['RECOVERY_DELAYS_SECONDS'] || undefined,
  ).length;
  const suspects = async function* (): AsyncGenerator<Unlisted> {
    for await (const rows of payment.stream<Unlisted>(UNLISTED, [inquiriesMax, null])) yield* rows;
  };
  yield* confirmed(sources, suspects(), async (unlisted) => {
    const rows = await payment.query<Unlisted>(UNLISTED, [
      inquiriesMax,
      unlisted.map(({ operation_id }) => operation_id),
    ]);
    return rows.map((suspect) => ({
      suspect,
      finding: {
        problem: `${suspect.why}, and people have no item`,
        ids: { payment: suspect.payment_id, operation: suspect.operation_id },
      },
    }));
  });
}

/** A payment that waits for people, and no review of it is open. */
async function* reviewsOfNobody(sources: Sources): AsyncGenerator<Finding> {
  const fraud = sources.databases.get('fraud');
  if (fraud === undefined) return;
  const { payment, compared } = sources;
  const suspects = async function* (): AsyncGenerator<string> {
    const waiting = payment.stream<{ id: string }>(`SELECT id FROM payments WHERE status = 'IN_REVIEW'`);
    for await (const rows of waiting) {
      compared('payments under review', rows.length);
      yield* rows.map(({ id }) => id);
    }
  };
  yield* confirmed(sources, suspects(), async (ids) => {
    const rows = await payment.query<{ id: string }>(
      `SELECT id FROM payments WHERE status = 'IN_REVIEW' AND id = ANY($1)`,
      [ids],
    );
    const open = await fraud.query<{ id: string }>(
      `SELECT payment_id AS id FROM fraud_reviews WHERE status = 'PENDING' AND payment_id = ANY($1)`,
      [ids],
    );
    const listed = new Set(open.map(({ id }) => id));
    return rows
      .filter(({ id }) => !listed.has(id))
      .map(({ id }) => ({
        suspect: id,
        finding: { problem: 'under review, and nobody has it in the queue', ids: { payment: id } },
      }));
  });
}
