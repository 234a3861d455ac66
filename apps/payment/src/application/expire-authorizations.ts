import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { newId } from '@payflow/kernel';
import { Loop } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { crashPoint, Logger, runInContext } from '@payflow/service';

import { expire } from '../domain/expire.js';
import { listExpiring, lockExpiring } from '../store/payments.js';
import { Commit } from './commit.js';
import { loadPayment } from './load-payment.js';
import { SagaSteps } from './saga-steps.js';

const POLL_MS = 1_000;
const PAYMENTS_MAX = 32;
const CAUSE = { requestId: 'expiry', principalId: 'svc_payment' };

/**
 * Voids what is still held when an authorization has run out. The void is an order like any other: where the acquirer
 * stays silent it stays open, and the inquiries see to it. Any number of instances may run this.
 */
@Injectable()
export class ExpireAuthorizations implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;

  constructor(
    private readonly database: Database,
    private readonly commit: Commit,
    private readonly steps: SagaSteps,
    private readonly logger: Logger,
  ) {
    this.loop = new Loop('expiry', logger, POLL_MS, async () => (await this.pass()) === PAYMENTS_MAX);
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** @returns how many authorizations were voided */
  async pass(): Promise<number> {
    const due = await listExpiring(this.database, PAYMENTS_MAX);
    const voided = await Promise.all(due.map(async (paymentId) => await this.expireAlone(paymentId)));
    return voided.filter(Boolean).length;
  }

  /** One that fails does not hurt the others: it is due again, or its void is. */
  private async expireAlone(paymentId: string): Promise<boolean> {
    return await runInContext({ paymentId, requestId: CAUSE.requestId }, async () => {
      try {
        return await this.expire(paymentId);
      } catch (error) {
        this.logger.warn({ err: error }, 'an authorization that has run out could not be voided');
        return false;
      }
    });
  }

  private async expire(paymentId: string): Promise<boolean> {
    const voidId = newId('vod');
    const written = await this.database.transaction(async (tx) => {
      const at = await lockExpiring(tx, paymentId);
      const before = at && (await loadPayment(tx, paymentId));
      if (!before) return undefined;
      const decision = expire(before, { at, voidId });
      return decision.ok ? await this.commit.write(tx, { before, events: decision.events, cause: CAUSE }) : undefined;
    });
    if (!written) return false;
    crashPoint('payment.expire.after-intent-commit');
    await this.steps.goOn(written.payment, voidId, CAUSE);
    return true;
  }
}
