import type { PaymentMethodType, PaymentStatus } from '@payflow/contracts';
import type { AttemptId, CaptureId, Currency, MerchantId, PaymentId, RefundId, VoidId } from '@payflow/kernel';

import { chargedBackMinor, type Dispute } from './dispute.js';
import type { FraudCheck } from './judgement.js';

/**
 * Words of this folder. A *payment* is what the payer owes and what became of it. An *operation* is one order to the
 * acquirer (authorize, capture, void, refund); its id is the idempotency key there, so sending it twice is harmless.
 * A *hold* is what an authorization reserves; captures take from it, the last capture or a void releases the rest.
 */
export type Metadata = Readonly<Record<string, string>>;

/** How the payer pays, as far as anyone outside the vault may know it. */
export interface PaymentMethod {
  readonly type: PaymentMethodType;
  readonly token: string | null;
  readonly brand: string | null;
  readonly last4: string | null;
  readonly fingerprint: string | null;
  /** The card's first digits: its issuer. */
  readonly bin?: string;
  /** Of a bank redirect: the bank that the payer chose, where he did. */
  readonly bank?: string;
  readonly wallet?: NamedWallet;
}

/** The wallet that is to pay, and what is known of its owner's will. Whether that is enough, the wallet service decides. */
export interface NamedWallet {
  readonly walletId: string;
  /** The person whose own token asked for the authorization; null: nobody's own. */
  readonly confirmedBy: string | null;
  /** The wallet transaction by which the owner asked for this payment, where he did. */
  readonly consent: string | null;
}

/** What only cards have. */
export const NOT_A_CARD = { token: null, brand: null, last4: null, fingerprint: null } as const;

/** Why the acquirer, or the way to it, said no. `code` is ours and stable, `declineCode` the issuer's reason. */
export interface Failure {
  readonly code: string;
  readonly declineCode: string | null;
  readonly adviceCode: string | null;
  readonly message: string;
}

/**
 * requested: committed, perhaps sent, no answer recorded. unanswered: sent, and nobody may assume either outcome.
 * action_required: the acquirer waits for the payer (3-D Secure, his bank's page). approved, declined: the acquirer's
 * word. failed: it certainly had no effect at the acquirer.
 */
export type OperationState = 'requested' | 'action_required' | 'unanswered' | 'approved' | 'declined' | 'failed';

/** Where the payer has to go, and until when. */
export interface PayerAction {
  readonly url: string;
  readonly expiresAt: Date;
}

/**
 * An approval that the payment has no use for: it came after the attempt was given up, or for less than was asked. It is
 * reversed at the acquirer, and never counts as authorized.
 */
export interface UnwantedApproval {
  readonly cause: 'late_success' | 'partial_approval';
  readonly acquirerReference: string;
  readonly amountMinor: bigint;
}

/** Why a void was ordered. timeout: nobody can wait any longer for what an acquirer may still say. */
export type VoidCause = 'request' | 'expiry' | 'timeout' | 'unwanted_approval';

interface OperationCore {
  readonly acquirer: string;
  readonly amountMinor: bigint;
  readonly state: OperationState;
  readonly unansweredReason: string | null;
  readonly acquirerReference: string | null;
  readonly failure: Failure | null;
  /** When it was handed to people, because every inquiry had gone by without an end. */
  readonly stuckAt: Date | null;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
}

export interface AuthorizeOperation extends OperationCore {
  readonly kind: 'authorize';
  readonly id: AttemptId;
  /** The acquirers of the payment in the order in which they may be tried; this attempt is at one of them. */
  readonly route: readonly string[];
  readonly action: PayerAction | null;
  readonly unwanted: UnwantedApproval | null;
  /** Set for a sale: the capture that follows the approval by itself. */
  readonly saleCaptureId: CaptureId | null;
}
export interface CaptureOperation extends OperationCore {
  readonly kind: 'capture';
  readonly id: CaptureId;
  readonly final: boolean;
}
export interface VoidOperation extends OperationCore {
  readonly kind: 'void';
  readonly id: VoidId;
  readonly cause: VoidCause;
  /** The attempt that is undone by its reference, held or not; null: what is left of the payment's authorization. */
  readonly reverses: AttemptId | null;
  readonly reason: string | null;
}
export interface RefundOperation extends OperationCore {
  readonly kind: 'refund';
  readonly id: RefundId;
  readonly reason: string | null;
  readonly metadata: Metadata;
}

export type Operation = AuthorizeOperation | CaptureOperation | VoidOperation | RefundOperation;
export type OperationKind = Operation['kind'];
export type OperationId = Operation['id'];

/** What the acquirer reserved. */
export interface Authorization {
  readonly attemptId: AttemptId;
  readonly acquirer: string;
  readonly acquirerReference: string;
  readonly authorizedAt: Date;
  readonly expiresAt: Date;
}

/** A payment that waits for people before any acquirer is asked. */
export interface Review {
  /** Null: not for people, but until fraud can judge it. */
  readonly reviewId: string | null;
  readonly decideBy: Date;
  readonly sale: boolean;
  readonly open: boolean;
  /** Of the first, where there were several: since then the payment has its token. */
  readonly openedAt: Date;
}

/** What one settlement took in of the payment. */
export interface Settled {
  readonly settlementId: string;
  readonly acquirer: string;
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
  readonly netMinor: bigint;
  readonly settledAt: Date;
}

/** A payment as its events tell it. All amounts but the asked one are derived from the operations. */
export interface Payment {
  /** Number of events; 0 while there is no payment. */
  readonly version: number;
  readonly paymentId: PaymentId;
  readonly merchantId: MerchantId;
  readonly userId: string | null;
  readonly amountMinor: bigint;
  readonly currency: Currency;
  readonly reference: string | null;
  readonly description: string | null;
  readonly statementDescriptor: string | null;
  readonly returnUrl: string | null;
  readonly metadata: Metadata;
  readonly clientSecretHash: string | null;
  /** Whether a payer who confirms it pays at once. */
  readonly capture: boolean;
  readonly paymentMethod: PaymentMethod | null;
  readonly fraud: FraudCheck | null;
  readonly review: Review | null;
  readonly authorization: Authorization | null;
  readonly operations: readonly Operation[];
  readonly feeMinor: bigint;
  readonly settlements: readonly Settled[];
  readonly disputes: readonly Dispute[];
  /** Nothing can be captured any more: the last capture, a void, or a cancel of the intent. */
  readonly closed: boolean;
  readonly lastError: Failure | null;
  readonly failed: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly capturedAt: Date | null;
  readonly canceledAt: Date | null;
  readonly expiredAt: Date | null;
}

const EPOCH = new Date(0);

/** Before the first event. */
export const initialPayment: Payment = {
  version: 0,
  paymentId: 'pay_',
  merchantId: 'mer_',
  userId: null,
  amountMinor: 0n,
  currency: 'XXX' as Currency,
  reference: null,
  description: null,
  statementDescriptor: null,
  returnUrl: null,
  metadata: {},
  clientSecretHash: null,
  capture: false,
  paymentMethod: null,
  fraud: null,
  review: null,
  authorization: null,
  operations: [],
  feeMinor: 0n,
  settlements: [],
  disputes: [],
  closed: false,
  lastError: null,
  failed: false,
  createdAt: EPOCH,
  updatedAt: EPOCH,
  capturedAt: null,
  canceledAt: null,
  expiredAt: null,
};

export const isOpen = (operation: Operation): boolean =>
  operation.state === 'requested' || operation.state === 'action_required' || operation.state === 'unanswered';

const sumOf = (payment: Payment, kind: OperationKind, counts: (operation: Operation) => boolean): bigint =>
  payment.operations.reduce(
    (sum, operation) => (operation.kind === kind && counts(operation) ? sum + operation.amountMinor : sum),
    0n,
  );
const isApproved = (operation: Operation): boolean => operation.state === 'approved';

export const authorizedMinor = (payment: Payment): bigint => sumOf(payment, 'authorize', isApproved);
export const capturedMinor = (payment: Payment): bigint => sumOf(payment, 'capture', isApproved);
export const pendingCaptureMinor = (payment: Payment): bigint => sumOf(payment, 'capture', isOpen);
export const refundedMinor = (payment: Payment): bigint => sumOf(payment, 'refund', isApproved);
export const pendingRefundMinor = (payment: Payment): bigint => sumOf(payment, 'refund', isOpen);

/** What is left of the hold once the captures under way have succeeded. */
export const capturableMinor = (payment: Payment): bigint =>
  payment.closed ? 0n : authorizedMinor(payment) - capturedMinor(payment) - pendingCaptureMinor(payment);

/** What is left to give back at the acquirer once the refunds under way have succeeded, disputed or not. */
export const unrefundedMinor = (payment: Payment): bigint =>
  capturedMinor(payment) - refundedMinor(payment) - pendingRefundMinor(payment);

/**
 * What is left to refund. What the acquirer has charged back the payer has already. A chargeback is a fact that no refund
 * under way is asked for, so both may be more than was captured: then nothing is left, and people look at it.
 */
export const refundableMinor = (payment: Payment): bigint => {
  const left = unrefundedMinor(payment) - chargedBackMinor(payment.disputes);
  return left > 0n ? left : 0n;
};

export const operationOf = (payment: Payment, id: string): Operation | undefined =>
  payment.operations.find((operation) => operation.id === id);

export const openOperations = (payment: Payment, kind: OperationKind): readonly Operation[] =>
  payment.operations.filter((operation) => operation.kind === kind && isOpen(operation));

/** Voids under way that end what the payment holds. The reversal of an approval nobody wants is not one. */
export const openVoidsOfHold = (payment: Payment): readonly Operation[] =>
  openOperations(payment, 'void').filter(
    (operation) => operation.kind === 'void' && operation.cause !== 'unwanted_approval',
  );

/** The attempt that may still become the payment's authorization. */
export const openAttempt = (payment: Payment): AuthorizeOperation | undefined =>
  payment.operations.find(
    (operation): operation is AuthorizeOperation => operation.kind === 'authorize' && isOpen(operation),
  );

/** What keeps the payment IN_REVIEW. */
export const openReview = ({ review }: Payment): Review | undefined => (review?.open ? review : undefined);

/** Where the payment is, or was last tried; null before the first attempt. */
export const acquirerOf = (payment: Payment): string | null =>
  payment.authorization?.acquirer ??
  payment.operations.findLast((operation) => operation.kind === 'authorize')?.acquirer ??
  null;

/** What the payer has to do before the payment goes on. */
export const actionOf = (payment: Payment): PayerAction | null => {
  const attempt = openAttempt(payment);
  return attempt?.state === 'action_required' ? attempt.action : null;
};

/**
 * The operation whose silence holds the whole payment in PROCESSING. A silent refund does not: the refund itself is
 * PENDING, and the payment is what it was. Nor does the reversal of an approval that the payment has no use for.
 */
export const unansweredOperation = (payment: Payment): Operation | undefined =>
  payment.operations.find(
    (operation) =>
      operation.state === 'unanswered' &&
      operation.kind !== 'refund' &&
      !(operation.kind === 'void' && operation.cause === 'unwanted_approval'),
  );

const statusOfCaptured = (payment: Payment, captured: bigint): PaymentStatus => {
  const refunded = refundedMinor(payment);
  if (refunded === captured && payment.closed) return 'REFUNDED';
  if (refunded > 0n) return 'PARTIALLY_REFUNDED';
  return payment.closed ? 'CAPTURED' : 'PARTIALLY_CAPTURED';
};

/** The status is a reading of the state, never stored beside it, so the two cannot disagree. */
export const statusOf = (payment: Payment): PaymentStatus => {
  if (payment.failed) return 'FAILED';
  if (unansweredOperation(payment)) return 'PROCESSING';
  const captured = capturedMinor(payment);
  if (captured > 0n) return statusOfCaptured(payment, captured);
  if (payment.expiredAt) return 'EXPIRED';
  if (payment.canceledAt) return 'CANCELED';
  if (openReview(payment)) return 'IN_REVIEW';
  if (actionOf(payment)) return 'REQUIRES_ACTION';
  return payment.authorization ? 'AUTHORIZED' : 'PENDING';
};
