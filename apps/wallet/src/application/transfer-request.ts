import type { WrittenAmount } from '@payflow/contracts';
import type { Context, Problem, RequestIdentity, SetClaim } from '@payflow/service';

import type { Channel } from '../store/owners.js';
import type { OwnedTransactionRow } from '../store/wallet-transactions.js';

/** A transfer that somebody waits for. */
export interface TransferRequest {
  readonly transactionId: string;
  /** Undefined: it is told apart by `transactionId` alone, which then may have been begun before. */
  readonly identity: RequestIdentity | undefined;
  readonly callerId: string;
  readonly fromWalletId: string;
  /** Another wallet, or an address whose owner has no account yet. */
  readonly to: { readonly walletId: string } | { readonly channel: Channel; readonly address: string };
  readonly amount: WrittenAmount;
  /** As the caller named it. */
  readonly currency: string | undefined;
  readonly note: string | null;
  /** Of the receiver, masked, where no wallet names him. */
  readonly counterparty: string | null;
  /** Decided before the wallets are looked at; a key that was answered before is still answered. */
  readonly refusal?: Problem;
  /** Of the request, for its events and problems. */
  readonly context: Context;
}

/** A transfer that is PENDING: committed, and perhaps not posted yet. */
export interface PendingTransfer {
  readonly row: OwnedTransactionRow;
  readonly key: SetClaim | undefined;
  /** Of money that waits for somebody at an address. */
  readonly claimExpiresAt: Date | undefined;
  /** Of its timer, in the hands of whoever works on it. 0: he has begun it, and nobody else has looked at it. */
  readonly fence: bigint;
  readonly context: Context;
}
