import type { ServiceName } from '../stack/services.ts';
import { confirmed } from './confirm.ts';
import type { Finding } from './invariant.ts';
import type { ReadDatabase } from './read-database.ts';
import type { Sources } from './sources.ts';

interface Timers {
  readonly service: ServiceName;
  /** All that wait for a time. */
  readonly all: string;
  /** Those whose time is over: `id`, what it is about (`subject`), and `due`. */
  readonly due: string;
}

/** Whatever is done at a time is a row that says when. Whoever takes it up sets the time anew. */
const TIMERS: readonly Timers[] = [
  {
    service: 'payment',
    all: `SELECT (SELECT count(*) FROM payment_attempts WHERE next_recovery_at IS NOT NULL)
               + (SELECT count(*) FROM payments WHERE expiry_due_at IS NOT NULL)
               + (SELECT count(*) FROM psp_webhooks WHERE next_try_at IS NOT NULL)`,
    // Of open orders, of authorizations that expire, of news that was received.
    due: `SELECT attempt_id AS id, payment_id AS subject, next_recovery_at AS due FROM payment_attempts
           WHERE next_recovery_at <= now()
          UNION ALL
          SELECT 'expiry of ' || id, id, expiry_due_at FROM payments WHERE expiry_due_at <= now()
          UNION ALL
          SELECT provider || ' ' || webhook_id, coalesce(payment_id, ''), next_try_at FROM psp_webhooks WHERE next_try_at <= now()`,
  },
  {
    service: 'fraud',
    all: `SELECT count(*) FROM fraud_reviews WHERE status = 'PENDING'`,
    due: `SELECT id, payment_id AS subject, decide_by AS due FROM fraud_reviews WHERE status = 'PENDING' AND decide_by <= now()`,
  },
  {
    service: 'notification',
    all: `SELECT (SELECT count(*) FROM webhook_deliveries WHERE status = 'PENDING')
               + (SELECT count(*) FROM messages WHERE status = 'PENDING')`,
    // What an endpoint that does not answer is owed waits for its turn, and the merchant sees it.
    due: `SELECT d.delivery_id AS id, d.event_id AS subject, d.due_at AS due
            FROM webhook_deliveries d JOIN webhook_endpoints e USING (endpoint_id)
           WHERE d.status = 'PENDING' AND d.due_at <= now() AND e.status = 'ENABLED' AND e.failing_since IS NULL AND NOT e.ordered
          UNION ALL
          SELECT message_id, event_id, next_try_at FROM messages
           WHERE status = 'PENDING' AND next_try_at <= now() AND coalesce(lease_until, now()) <= now()`,
  },
  {
    service: 'settlement',
    all: `SELECT count(*) FROM payouts WHERE due_at IS NOT NULL`,
    due: `SELECT id, merchant_id AS subject, due_at AS due FROM payouts
           WHERE due_at <= now() AND coalesce(lease_until, now()) <= now()`,
  },
];

interface Overdue {
  readonly id: string;
  readonly subject: string;
  readonly due: Date;
}

/**
 * A timer that has just run out is taken up within the poll of its service: one is forgotten only if the same time is still
 * over when the grace is.
 */
export async function* overdueTimers(sources: Sources): AsyncGenerator<Finding> {
  for (const timers of TIMERS) {
    const database = sources.databases.get(timers.service);
    if (database === undefined) continue;
    const [row] = await database.query<{ timers: number }>(`SELECT (${timers.all})::int AS timers`);
    sources.compared('timers', row?.timers ?? 0);
    yield* confirmed(sources, overdueIn(database, timers), (overdue) => stillOverdue(database, timers, overdue));
  }
}

async function* overdueIn(database: ReadDatabase, { due }: Timers): AsyncGenerator<Overdue> {
  for await (const rows of database.stream<Overdue>(due)) yield* rows;
}

const stillOverdue = async (database: ReadDatabase, { service, due }: Timers, overdue: readonly Overdue[]) => {
  const rows = await database.query<Overdue>(`SELECT * FROM (${due}) AS due WHERE id = ANY($1)`, [
    overdue.map(({ id }) => id),
  ]);
  const now = new Map(rows.map(({ id, due: time }) => [id, time.getTime()]));
  return overdue
    .filter(({ id, due: time }) => now.get(id) === time.getTime())
    .map((suspect) => ({
      suspect,
      finding: {
        problem: `due since ${suspect.due.toISOString()}, and nobody takes it up`,
        ids: { service, subject: suspect.subject, timer: suspect.id },
      },
    }));
};
