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

export interface Operation {
  /** Also the payment's reference, where it makes a payment. */
  readonly operationId: string;
  readonly kind: OperationKind;
  readonly merchantId: string;
  /** Null for one that was sent without. */
  readonly key: string | null;
  readonly amount: number;
  /** Of the payment it changes; null for what makes one. */
  readonly paymentId: string | null;
  /** In progress: not told anything yet. */
  told: Told;
  tries: number;
  /** Two final answers to one key that are not the same. */
  contradiction: string | null;
}
