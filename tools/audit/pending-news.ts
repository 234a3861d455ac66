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
  return new Set([...sent, ...received].map(({ id }) => id));
};
