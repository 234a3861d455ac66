import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Loop } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { InjectConfig, Logger, runInContext } from '@payflow/service';

import { type PaymentConfig, takenLeaseMs } from '../payment.config.js';
import { type TakenOrder, takeUpDueOrders } from '../store/payment-attempts.js';
import { ResolveOrders } from './resolve-orders.js';

const POLL_MS = 500;
/** At once in one instance: enough that one silent acquirer, until its breaker opens, leaves places for the others. */
const ORDERS_MAX = 32;
const CAUSE = { requestId: 'recovery', principalId: 'svc_payment' };

/**
 * The timers of the saga: takes up orders whose acquirer stayed silent, or whose process died. They are rows, so a restart
 * forgets nothing, and any number of instances may run this.
 */
@Injectable()
export class RecoverOrders implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly database: Database,
    private readonly orders: ResolveOrders,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: PaymentConfig,
  ) {
    this.loop = new Loop('recovery', logger, POLL_MS, async () => {
      await this.takeUp();
      // The next pass follows after the pause: whatever was taken up does not hold up what is due then.
      return false;
    });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
    await Promise.all(this.underWay);
  }

  /** Takes up what is due, and returns when that was looked after. */
  async pass(): Promise<void> {
    await this.takeUp();
    await Promise.all(this.underWay);
  }

  private async takeUp(): Promise<void> {
    const places = ORDERS_MAX - this.underWay.size;
    if (places <= 0) return;
    for (const order of await takeUpDueOrders(this.database, takenLeaseMs(this.config), places)) {
      const work = this.resolveAlone(order).finally(() => this.underWay.delete(work));
      this.underWay.add(work);
    }
  }

  /** One order that fails does not hurt the others: it is due again when its lease is over. */
  private async resolveAlone(order: TakenOrder): Promise<void> {
    await runInContext({ paymentId: order.payment_id, requestId: CAUSE.requestId }, async () => {
      try {
        await this.orders.resolveDue(order, CAUSE);
      } catch (error) {
        this.logger.warn({ err: error, operationId: order.attempt_id }, 'an open order could not be resolved');
      }
    });
  }
}
