import { Injectable } from '@nestjs/common';
import { EventCatchUp } from '@payflow/messaging';
import { Problem } from '@payflow/service';

/** Names the consumer group, its inbox and its gates. Never renamed, or every event would be applied again. */
export const BALANCES_CONSUMER = 'settlement.balances';

/** How long a merchant waits for what his payments have told and the balances have not heard yet. */
const CATCH_UP_MS = 3_000;

/** So that whoever captured a payment finds it in his balance. */
@Injectable()
export class HearPayments {
  constructor(private readonly catchUp: EventCatchUp) {}

  /**
   * Waits until the balances hold what the merchant's payments have told up to now: his payments' events have him as key.
   *
   * @throws Problem dependency_unavailable: a stale balance is worse than none
   */
  async hearAllOf(merchantId: string): Promise<void> {
    if (await this.catchUp.catchUpWithKey(BALANCES_CONSUMER, 'payment', merchantId, CATCH_UP_MS)) return;
    throw new Problem('dependency_unavailable', {
      detail: 'The balances do not hold the last payments yet.',
      headers: { 'retry-after': '1' },
    });
  }
}
