/** What a client of the drill wants done once, however often it has to ask. */
export type OperationKind = 'authorize' | 'sale' | 'capture' | 'refund' | 'cancel';

/** What the client knows of it in the end. */
export type Told =
  /** A 2xx: it happened, or will (202). */
  | { readonly kind: 'done'; readonly status: number; readonly body: Readonly<Record<string, unknown>> }
  /** A final no: a 4xx that no repetition changes. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string }
  /** Nothing final was ever heard: it may have happened, once. */
  | { readonly kind: 'silence' };

/** What somebody asks for, and what he has heard of it so far. */
export interface Asked {
  readonly operationId: string;
  /** Null for one that was sent without. */
  readonly key: string | null;
  /** In progress: not told anything yet. */
  told: Told;
  tries: number;
  /** Two final answers to one key that are not the same. */
  contradiction: string | null;
}

/** Its id is also the payment's reference, where it makes a payment. */
export interface Operation extends Asked {
  readonly kind: OperationKind;
  readonly merchantId: string;
  readonly amount: number;
  /** Of the payment it changes; null for what makes one. */
  readonly paymentId: string | null;
}

/** A `refund` is what the merchant gives back of a `pay`. */
export type WalletOperationKind = 'add' | 'transfer' | 'withdraw' | 'pay' | 'refund' | 'hold' | 'confirm' | 'void';

/** What somebody wants done with the money in his wallet. */
export interface WalletOperation extends Asked {
  readonly kind: WalletOperationKind;
  /** No two have the same, but a hold with its confirm or void, and a payment with its refund. */
  readonly amount: number;
  readonly fromWalletId: string | null;
  readonly toWalletId: string | null;
  /** That it confirms or voids. */
  readonly holdId: string | null;
}
