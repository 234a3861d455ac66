import { paymentIdsAfter } from '../../apps/payment/src/application/rebuild.js';
import type { Sources } from './sources.ts';

const PAGE_SIZE = 1_000;

/**
 * The ids of every payment that was there when the audit began, page by page. Ids sort by time, so payments that are made
 * meanwhile come behind the last one, and traffic cannot keep the audit from coming to an end.
 */
export async function* paymentPages({
  payment,
  progress,
}: Pick<Sources, 'payment' | 'progress'>): AsyncGenerator<readonly string[]> {
  const [end] = await payment.query<{ last: string | null }>(
    `SELECT max(id) AS last FROM (SELECT max(payment_id) AS id FROM payment_events UNION ALL SELECT max(id) FROM payments) AS ends`,
  );
  const last = end?.last ?? '';
  let after = '';
  let seen = 0;
  while (after < last) {
    const page = (await paymentIdsAfter(payment, after, PAGE_SIZE)).filter((id) => id <= last);
    const end = page.at(-1);
    if (end === undefined) return;
    after = end;
    yield page;
    seen += page.length;
    progress(`${seen.toLocaleString('en')} payments`);
  }
}
