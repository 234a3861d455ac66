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
