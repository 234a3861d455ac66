import type { Sql, Tx } from '@payflow/postgres';

import type { Payment, Review } from '../domain/payment.js';

/** Fraud tells of its own deadline; should that not arrive, the payment does not wait for ever. */
const GRACE_SECONDS = 300;
const FIRST_LOOK_SECONDS = 5;
const LOOK_DELAY_SECONDS_MAX = 60;

/** Keeps the timer of a review: when it is looked at although nothing was heard; never, once it is closed. */
export const storeReview = async (tx: Tx, { paymentId }: Payment, review: Review): Promise<void> => {
  await tx.execute(
    `INSERT INTO payment_reviews (payment_id, review_id, decide_by, next_look_at)
     VALUES ($1, $2, $3, CASE WHEN NOT $4 THEN NULL
                              WHEN $2::text IS NULL THEN now() + make_interval(secs => ${FIRST_LOOK_SECONDS})
                              ELSE $3::timestamptz + make_interval(secs => ${GRACE_SECONDS}) END)
     ON CONFLICT (payment_id) DO UPDATE SET review_id = excluded.review_id, decide_by = excluded.decide_by,
       payer_ip = NULL, payer_ip_country = NULL, payer_email = NULL, next_look_at = excluded.next_look_at`,
    [paymentId, review.reviewId, review.decideBy, review.open],
  );
};

/** What fraud will have to be told again, should it be asked again: the same subject is judged by the same facts. */
export const rememberPayer = async (
  tx: Tx,
  paymentId: string,
  payer: { readonly ip: string | null; readonly ipCountry: string | null; readonly email: string | null },
): Promise<void> => {
  await tx.execute(
    'UPDATE payment_reviews SET payer_ip = $2, payer_ip_country = $3, payer_email = $4 WHERE payment_id = $1',
    [paymentId, payer.ip, payer.ipCountry, payer.email],
  );
};

export interface DueReview {
  readonly payment_id: string;
  readonly review_id: string | null;
  readonly payer_ip: string | null;
  readonly payer_ip_country: string | null;
  readonly payer_email: string | null;
  /** By the clock of the database, the only one that all instances share. */
  readonly overdue: boolean;
}

/**
 * Takes up reviews whose time has come. Each is due again a little later, so that one is not lost with whoever took it, and
 * fraud is not asked more than once a minute for long.
 */
export const takeUpDueReviews = async (sql: Sql, reviewsMax: number): Promise<readonly DueReview[]> =>
  await sql.query<DueReview>(
    `UPDATE payment_reviews
        SET looks = looks + 1,
            next_look_at = now() + make_interval(secs => least(${FIRST_LOOK_SECONDS} * 2 ^ least(looks, 10), ${LOOK_DELAY_SECONDS_MAX}))
      WHERE payment_id IN (
        SELECT payment_id FROM payment_reviews WHERE next_look_at <= now()
         ORDER BY next_look_at LIMIT $1 FOR UPDATE SKIP LOCKED)
      RETURNING payment_id, review_id, payer_ip, payer_ip_country, payer_email, decide_by <= now() AS overdue`,
    [reviewsMax],
  );
