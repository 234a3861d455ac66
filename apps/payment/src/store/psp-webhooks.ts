import type { Sql, Tx } from '@payflow/postgres';

import type { DisputeChange } from '../clients/acquirer-port.js';

interface WebhookKey {
  readonly provider: string;
  readonly webhook_id: string;
}

/** A message of a payment provider about an order that we gave, or about a dispute. */
export type WebhookRow = WebhookKey & { readonly tries: number } & (
    | { readonly dispute_reference: null; readonly operation_id: string; readonly payment_id: string }
    | { readonly dispute_reference: string }
  );

/** The payment whose order the id is, at that provider; undefined for a stranger's. */
export const findOrderAt = async (
  sql: Sql,
  provider: string,
  operationId: string,
): Promise<{ readonly payment_id: string } | undefined> =>
  (
    await sql.query<{ payment_id: string }>(
      'SELECT payment_id FROM payment_attempts WHERE attempt_id = $1 AND acquirer = $2',
      [operationId, provider],
    )
  )[0];

/** @returns whether the message is new; a second delivery is not */
export const insertWebhook = async (
  sql: Sql,
  webhook: {
    readonly provider: string;
    readonly webhookId: string;
    readonly operationId: string | null;
    readonly disputeReference: string | null;
    readonly paymentId: string | null;
    /** Why it needs no work; null for one that waits to be worked on. */
    readonly ignoredBecause: string | null;
  },
): Promise<boolean> =>
  (await sql.execute(
    `INSERT INTO psp_webhooks (provider, webhook_id, operation_id, dispute_reference, payment_id, state, reason, next_try_at)
     VALUES ($1, $2, $3, $6, $4, CASE WHEN $5::text IS NULL THEN 'waiting' ELSE 'ignored' END, $5,
             CASE WHEN $5::text IS NULL THEN now() END)
     ON CONFLICT (provider, webhook_id) DO NOTHING`,
    [
      webhook.provider,
      webhook.webhookId,
      webhook.operationId,
      webhook.paymentId,
      webhook.ignoredBecause,
      webhook.disputeReference,
    ],
  )) === 1;

/**
 * Takes messages whose time has come. The next time is set in the same statement and is the lease of whoever took them:
 * of several instances one gets each. It grows with each try, up to an hour.
 */
export const claimWebhooks = async (sql: Sql, webhooksMax: number): Promise<readonly WebhookRow[]> =>
  await sql.query<WebhookRow>(
    `UPDATE psp_webhooks
        SET tries = tries + 1, next_try_at = now() + make_interval(secs => least(3600, 15 * power(2, least(tries, 10))))
      WHERE (provider, webhook_id) IN (
        SELECT provider, webhook_id FROM psp_webhooks WHERE state = 'waiting' AND next_try_at <= now()
         ORDER BY next_try_at LIMIT $1 FOR UPDATE SKIP LOCKED)
      RETURNING provider, webhook_id, operation_id, dispute_reference, payment_id, tries`,
    [webhooksMax],
  );

export const finishWebhook = async (sql: Sql, webhook: WebhookKey, reason: string | null): Promise<void> => {
  await sql.execute(
    `UPDATE psp_webhooks SET state = 'done', next_try_at = NULL, reason = $3 WHERE provider = $1 AND webhook_id = $2`,
    [webhook.provider, webhook.webhook_id, reason],
  );
};

/**
 * Notes what an acquirer's feed tells as news to be worked on like a webhook, unless it is recorded already: of a dispute
 * that changed twice only how it stands last. An entry that does not say which dispute it is about is no news.
 */
export const insertDisputeNews = async (tx: Tx, provider: string, changes: readonly DisputeChange[]): Promise<void> => {
  await tx.execute(
    `INSERT INTO psp_webhooks (provider, webhook_id, dispute_reference, state, next_try_at)
     SELECT $1, 'feed:' || told.position, told.reference, 'waiting', now()
       FROM (SELECT DISTINCT ON (reference) position, reference, status
               FROM unnest($2::bigint[], $3::text[], $4::text[]) AS change (position, reference, status)
              WHERE reference IS NOT NULL
              ORDER BY reference, position DESC) told
      WHERE NOT EXISTS (SELECT FROM disputes known
                         WHERE known.acquirer = $1 AND known.acquirer_reference = told.reference
                           AND known.status = told.status)
     ON CONFLICT (provider, webhook_id) DO NOTHING`,
    [
      provider,
      changes.map(({ position }) => position),
      changes.map(({ reference }) => reference),
      changes.map(({ status }) => status),
    ],
  );
};

/** Forgets what is over. A message that comes again after that is asked about again, which changes nothing. */
export const forgetWebhooks = async (sql: Sql, olderThanDays: number, rowsMax: number): Promise<number> =>
  await sql.execute(
    `DELETE FROM psp_webhooks WHERE (provider, webhook_id) IN (
       SELECT provider, webhook_id FROM psp_webhooks
        WHERE state <> 'waiting' AND received_at < now() - make_interval(days => $1) LIMIT $2)`,
    [olderThanDays, rowsMax],
  );
