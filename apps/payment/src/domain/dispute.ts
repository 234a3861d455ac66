import type { DisputeStatus } from '@payflow/contracts';
import type { DisputeId } from '@payflow/kernel';

/** What a merchant can answer: contest with evidence, or not contest. */
export type DisputeOrder = 'evidence' | 'accept';
export type DisputeEnd = Exclude<DisputeStatus, 'NEEDS_RESPONSE' | 'UNDER_REVIEW'>;

/** A dispute of a payment. What the acquirer says of it is a fact; ours is only the answer. */
export interface Dispute {
  readonly disputeId: DisputeId;
  readonly acquirer: string;
  /** The acquirer's id of the dispute. */
  readonly acquirerReference: string;
  readonly amountMinor: bigint;
  readonly feeMinor: bigint;
  readonly feeReturnedMinor: bigint;
  readonly reason: string;
  readonly status: DisputeStatus;
  readonly evidenceDueBy: Date;
  /** What the merchant decided. While the status is NEEDS_RESPONSE the acquirer has yet to take it. */
  readonly response: DisputeOrder | null;
  readonly respondedAt: Date | null;
  readonly openedAt: Date;
  readonly updatedAt: Date;
  readonly closedAt: Date | null;
}

type Opened = Pick<
  Dispute,
  'disputeId' | 'acquirer' | 'acquirerReference' | 'amountMinor' | 'feeMinor' | 'reason' | 'evidenceDueBy'
>;

export const openedDispute = (facts: Opened, at: Date): Dispute => ({
  ...facts,
  feeReturnedMinor: 0n,
  status: 'NEEDS_RESPONSE',
  response: null,
  respondedAt: null,
  openedAt: at,
  updatedAt: at,
  closedAt: null,
});

type Disputes = readonly Dispute[];

export const isEnded = (status: DisputeStatus): status is DisputeEnd =>
  status !== 'NEEDS_RESPONSE' && status !== 'UNDER_REVIEW';

const sumOf = (disputes: Disputes, minorOf: (dispute: Dispute) => bigint): bigint =>
  disputes.reduce((sum, dispute) => sum + minorOf(dispute), 0n);

/** What is disputed now. */
export const disputedMinor = (disputes: Disputes): bigint =>
  sumOf(disputes, ({ status, amountMinor }) => (isEnded(status) ? 0n : amountMinor));

/** What the acquirer has taken back: from the beginning of a dispute on, unless it is won. */
export const chargedBackMinor = (disputes: Disputes): bigint =>
  sumOf(disputes, ({ status, amountMinor }) => (status === 'WON' ? 0n : amountMinor));

/** What the merchant has paid for disputes, less what came back. */
export const disputeFeeMinor = (disputes: Disputes): bigint =>
  sumOf(disputes, ({ feeMinor, feeReturnedMinor }) => feeMinor - feeReturnedMinor);

export const disputeOf = (disputes: Disputes, disputeId: string): Dispute | undefined =>
  disputes.find((dispute) => dispute.disputeId === disputeId);
