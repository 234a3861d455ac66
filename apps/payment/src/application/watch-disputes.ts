import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Loop } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { crashPoint, InjectConfig, Logger, runInContext } from '@payflow/service';

import type { AcquirerDisputes, DisputeAnswer } from '../clients/acquirer-port.js';
import { Acquirers } from '../clients/acquirers.js';
import { type Dispute, disputeOf } from '../domain/dispute.js';
import { type PaymentConfig, takenLeaseMs } from '../payment.config.js';
import { findEvidence, giveDisputeBack, type TakenDispute, takeUpDueDisputes } from '../store/disputes.js';
import { DisputeRecorder } from './dispute-recorder.js';
import { loadPayment } from './load-payment.js';
import { nextDisputeLookMs } from './recovery-schedule.js';

const POLL_MS = 1_000;
/** At once in one instance. */
const DISPUTES_MAX = 16;
const CAUSE = { requestId: 'disputes', principalId: 'svc_payment' };

/**
 * The timers of open disputes, which are rows: sends what the merchant has answered until the acquirer has taken it, and asks
 * about what is past its deadline. Any number of instances may run this.
 */
@Injectable()
export class WatchDisputes implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;

  constructor(
    private readonly database: Database,
    private readonly acquirers: Acquirers,
    private readonly recorder: DisputeRecorder,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: PaymentConfig,
  ) {
    this.loop = new Loop('disputes', logger, POLL_MS, async () => (await this.pass()) === DISPUTES_MAX);
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** A response was ordered: it is sent now and not at the next poll. */
  poke(): void {
    this.loop.poke();
  }

  /** @returns how many were looked at */
  async pass(): Promise<number> {
    const due = await takeUpDueDisputes(this.database, takenLeaseMs(this.config), DISPUTES_MAX);
    await Promise.all(due.map(async (taken) => await this.lookAlone(taken)));
    return due.length;
  }

  /** One that fails does not hurt the others: it is due again when its lease is over. */
  private async lookAlone(taken: TakenDispute): Promise<void> {
    await runInContext({ paymentId: taken.payment_id, requestId: CAUSE.requestId }, async () => {
      try {
        await this.lookAt(taken);
      } catch (error) {
        this.logger.warn({ err: error, disputeId: taken.id }, 'a dispute could not be looked at');
      }
    });
  }

  private async lookAt(taken: TakenDispute): Promise<void> {
    const dispute = await this.current(taken);
    if (!dispute) throw new Error(`invariant: ${taken.id} is in no history`);
    const disputes = this.acquirers.disputesOf(dispute.acquirer);
    const answer = disputes && (await this.ask(disputes, dispute));
    if (answer?.kind === 'told') await this.recorder.record(dispute.acquirer, answer.dispute, CAUSE);
    else this.logger.warn({ disputeId: taken.id, answer }, 'the acquirer says nothing about a dispute');
    const lookAfterMs = nextDisputeLookMs(dispute, taken.tries, new Date(), this.config);
    if (lookAfterMs !== null) await giveDisputeBack(this.database, taken, lookAfterMs);
  }

  private async current({ id, payment_id: paymentId }: TakenDispute): Promise<Dispute | undefined> {
    return disputeOf((await loadPayment(this.database, paymentId))?.disputes ?? [], id);
  }

  private async ask(acquirer: AcquirerDisputes, dispute: Dispute): Promise<DisputeAnswer> {
    const { acquirerReference, disputeId, response, status } = dispute;
    if (status !== 'NEEDS_RESPONSE' || response === null) return await acquirer.inquire(acquirerReference);
    // What is submitted is not changed any more, so it is the same each time.
    const evidence = response === 'evidence' ? await findEvidence(this.database, disputeId) : null;
    crashPoint('payment.dispute.before-psp');
    const answer = await acquirer.respond(acquirerReference, disputeId, evidence);
    crashPoint('payment.dispute.after-psp');
    return answer;
  }
}
