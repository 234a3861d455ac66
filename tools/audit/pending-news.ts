import type { Sources } from './sources.ts';

/**
 * Payments about which an acquirer has changed his mind and the news is on its way: in his outbox of webhooks, or received
 * and not yet looked at. His book is ahead of our record until it has come; nobody may call that wrong yet.
 */
export const paymentsWithNews = async (
  { acquirers, payment }: Sources,
  paymentIds: readonly string[],
): Promise<ReadonlySet<string>> => {
  const sent = await acquirers.query<{ id: string }>(
    `SELECT DISTINCT payment_id AS id FROM webhooks WHERE payment_id = ANY($1) AND ended_at IS NULL`,
    [paymentIds],
  );
  const received = await payment.query<{ id: string }>(
    `SELECT DISTINCT payment_id AS id FROM psp_webhooks WHERE payment_id = ANY($1) AND state = 'waiting'`,
    [paymentIds],
  );
  const disputed = await disputesUnheardOf(acquirers, payment, paymentIds);
  return new Set([...sent, ...received].map(({ id }) => id).concat(disputed));
};

/** Payments with a dispute that changed behind what was read of its acquirer's feed, or whose message waits to be worked on. */
const disputesUnheardOf = async (
  acquirers: Sources['acquirers'],
  payment: Sources['payment'],
  paymentIds: readonly string[],
): Promise<readonly string[]> => {
  const waiting = await payment.query<{ reference: string }>(
    `SELECT dispute_reference AS reference FROM psp_webhooks WHERE dispute_reference IS NOT NULL AND state = 'waiting'`,
  );
  const feeds = await payment.query<{ acquirer: string; position: bigint }>(
    'SELECT acquirer, position FROM dispute_feeds',
  );
  const rows = await acquirers.query<{ id: string }>(
    `SELECT DISTINCT d.payment_id AS id
       FROM disputes d JOIN dispute_states s USING (acquirer, dispute_id)
       LEFT JOIN unnest($3::text[], $4::bigint[]) AS feed (acquirer, position) ON feed.acquirer = d.acquirer
      WHERE d.payment_id = ANY($1) AND (d.dispute_id = ANY($2) OR s.position > coalesce(feed.position, 0))`,
    [
      paymentIds,
      waiting.map(({ reference }) => reference),
      feeds.map(({ acquirer }) => acquirer),
      feeds.map(({ position }) => position),
    ],
  );
  return rows.map(({ id }) => id);
};
