import type { FraudOutcome, FraudReason, WhenFraudIsDown } from '@payflow/contracts';

/** What the merchant wants where fraud does not answer in time. */
export interface FraudPolicy {
  readonly whenDown: WhenFraudIsDown;
  /** Of `allow_under`: the most that goes on unjudged. More waits until fraud is back. */
  readonly amountMaxMinor: bigint;
}

/** What was said of a payment before any acquirer was asked. */
export interface FraudCheck {
  /** Null: nobody has judged it, and `policy` says why it is treated so. */
  readonly decisionId: string | null;
  readonly outcome: FraudOutcome;
  readonly score: number;
  readonly reasons: readonly FraudReason[];
  readonly rulesVersion: number | null;
  readonly policy: WhenFraudIsDown | null;
}

/** A check, and with REVIEW who decides until when. Without an id no person does: fraud is asked again. */
export type Judgement =
  | (FraudCheck & { readonly outcome: 'ALLOW' | 'BLOCK' })
  | (FraudCheck & { readonly outcome: 'REVIEW'; readonly reviewId: string | null; readonly decideBy: Date });
