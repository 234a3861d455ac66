import { type Dispute, isEnded } from '../domain/dispute.js';
import type { Operation } from '../domain/payment.js';
import { claimLeaseMs, type PaymentConfig } from '../payment.config.js';

type Settings = Pick<PaymentConfig, 'ACQUIRER_TIMEOUT_MS' | 'ACTION_INQUIRY_SECONDS' | 'RECOVERY_DELAYS_SECONDS'>;

const MS_PER_SECOND = 1_000;
/** The payer may use up his time to the last second, and the acquirer needs one to say so. */
const ACTION_GRACE_MS = 5 * MS_PER_SECOND;

/**
 * When an open order is looked at next, unless it has ended by then.
 * - requested: it belongs to its request as long as that holds its claim;
 * - action_required: when the payer's time is over, and gently before that, since a webhook may be lost; after that by the
 *   schedule, for what is left to wait for is the word on a reversal, and that may take days;
 * - unanswered: by the schedule of inquiries, whose last delay repeats.
 *
 * @param inquiries of the schedule that have gone by
 */
export const nextLookMs = (operation: Operation, inquiries: number, at: Date, settings: Settings): number => {
  if (operation.state === 'requested') return claimLeaseMs(settings);
  if (operation.kind === 'authorize' && operation.state === 'action_required' && operation.action) {
    const leftMs = operation.action.expiresAt.getTime() - at.getTime() + ACTION_GRACE_MS;
    if (leftMs > 0) return Math.min(Math.max(leftMs, ACTION_GRACE_MS), settings.ACTION_INQUIRY_SECONDS * MS_PER_SECOND);
  }
  const delays = settings.RECOVERY_DELAYS_SECONDS;
  return (delays[Math.min(inquiries, delays.length - 1)] ?? 0) * MS_PER_SECOND;
};

/** An answer that is not there by the deadline is lost, however soon the acquirer is back. */
const RESPONSE_RESEND_MS_MAX = 600 * MS_PER_SECOND;
/** A decision takes banks weeks, and is told by webhook and feed; asking is for the case that neither comes. */
const REVIEW_INQUIRY_MS = 86_400 * MS_PER_SECOND;

/**
 * When a dispute is looked at next; null when it has ended.
 * - the merchant has answered: at once, then by the schedule until the acquirer has taken it;
 * - it waits for the merchant: when its deadline is over, and then by the schedule;
 * - it is under review: daily.
 *
 * @param tries since something was last recorded of it
 */
export const nextDisputeLookMs = (
  { status, response, evidenceDueBy }: Dispute,
  tries: number,
  at: Date,
  settings: Pick<Settings, 'RECOVERY_DELAYS_SECONDS'>,
): number | null => {
  if (isEnded(status)) return null;
  if (status === 'UNDER_REVIEW') return REVIEW_INQUIRY_MS;
  const untilDeadlineMs = evidenceDueBy.getTime() - at.getTime() + ACTION_GRACE_MS;
  if (response === null && untilDeadlineMs > 0) return untilDeadlineMs;
  if (tries === 0) return 0;
  const delays = settings.RECOVERY_DELAYS_SECONDS;
  const delayMs = (delays[Math.min(tries - 1, delays.length - 1)] ?? 0) * MS_PER_SECOND;
  return untilDeadlineMs > 0 ? Math.min(delayMs, RESPONSE_RESEND_MS_MAX) : delayMs;
};
