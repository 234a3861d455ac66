import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from '@payflow/postgres';
import { crashPoint, InjectConfig, Logger, runInContext } from '@payflow/service';

import { isOpen, operationOf, type Operation, type Payment } from '../domain/payment.js';
import { nextStep } from '../domain/saga.js';
import type { PaymentConfig } from '../payment.config.js';
import { ProcessorFactory } from '../processors/processor-factory.js';
import { claimOpenOrders, type OpenOrder } from '../store/payment-attempts.js';
import { loadPayment } from './load-payment.js';
import { OutcomeRecorder } from './outcome-recorder.js';

const POLL_MS = 500;
const ORDERS_MAX = 20;
/** An authorization and the capture of a sale. */
const STEPS_MAX = 2;
const CAUSE = { requestId: 'recovery', principalId: 'svc_payment' };

/**
 * Takes up orders whose acquirer stayed silent, or whose process died, and sends them again under their own id: an
 * acquirer that had it answers as it did the first time, one that had not does it now. Nobody guesses in between.
 * Timers are rows, so a restart forgets nothing, and any number of instances may run this.
 */
@Injectable()
export class RecoverOrders implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly database: Database,
    private readonly processors: ProcessorFactory,
    private readonly recorder: OutcomeRecorder,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: PaymentConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** @returns how many orders were taken up */
  async pass(): Promise<number> {
    const orders = await claimOpenOrders(this.database, this.config.RECOVERY_DELAYS_SECONDS, ORDERS_MAX);
    await Promise.all(orders.map(async (order) => await this.recoverAlone(order)));
    return orders.length;
  }

  private schedule(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.passQuietly().then(() => {
        this.schedule();
      });
    }, POLL_MS);
  }

  /** The database may be away: the rows are due again later. */
  private async passQuietly(): Promise<void> {
    try {
      await this.pass();
    } catch (error) {
      this.logger.warn({ err: error }, 'open orders could not be taken up; trying again');
    }
  }

  /** One order that fails does not hurt the others: it is due again by its schedule. */
  private async recoverAlone(order: OpenOrder): Promise<void> {
    await runInContext({ paymentId: order.payment_id, requestId: CAUSE.requestId }, async () => {
      try {
        await this.recover(order);
      } catch (error) {
        this.logger.warn({ err: error, operationId: order.attempt_id }, 'an open order could not be recovered');
      }
    });
  }

  private async recover({ payment_id: paymentId, attempt_id: operationId }: OpenOrder): Promise<void> {
    let payment = await loadPayment(this.database, paymentId);
    const order = payment && operationOf(payment, operationId);
    let next = order && isOpen(order) ? order : undefined;
    for (let step = 0; payment && next && step < STEPS_MAX; step += 1) {
      payment = await this.send(payment, next, step === 0);
      next = nextStep(payment, operationId);
    }
  }

  private async send(payment: Payment, operation: Operation, perhapsSentBefore: boolean): Promise<Payment> {
    if (!payment.paymentMethod) throw new Error(`invariant: ${operation.id} has no payment method`);
    const outcome = await this.processors.processorFor(payment.paymentMethod.type).send(payment, operation);
    crashPoint('payment.recover.after-psp');
    this.logger.info({ operationId: operation.id, outcome: outcome.kind }, 'an open order was sent again');
    return await this.recorder.record({
      name: 'recover',
      paymentId: payment.paymentId,
      operationId: operation.id,
      outcome,
      perhapsSentBefore,
      cause: CAUSE,
    });
  }
}
