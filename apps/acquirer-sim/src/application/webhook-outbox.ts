import { randomUUID } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import type { AcquirerDisputeWebhook, AcquirerWebhook } from '@payflow/contracts';
import type { Tx } from '@payflow/postgres';
import { InjectConfig } from '@payflow/service';

import type { AcquirerSimConfig } from '../acquirer-sim.config.js';
import type { WebhookHabit } from '../domain/treatment.js';
import type { BookRow } from '../store/book.js';
import type { DisputeRow } from '../store/disputes.js';
import { insertWebhook } from '../store/webhooks.js';
import { disputeOf } from './dispute-view.js';
import { OperationView } from './operation-view.js';
import { SendWebhooks } from './send-webhooks.js';

const COPIES_OF_DUPLICATES = 3;

/** Notes what callers are to be told, in the transaction of what happened. */
@Injectable()
export class WebhookOutbox {
  constructor(
    @InjectConfig() private readonly config: AcquirerSimConfig,
    private readonly view: OperationView,
    private readonly sender: SendWebhooks,
  ) {}

  /** Whether the answer to an operation is also sent by webhook. */
  isForAnswers(acquirer: BookRow['acquirer'], habit: WebhookHabit | null): boolean {
    return this.config.WEBHOOK_SECRETS[acquirer] !== undefined && (this.config.WEBHOOKS_FOR_ALL || habit !== null);
  }

  /** Tells how the operation stands now. An acquirer without a secret tells nobody. */
  async add(tx: Tx, row: BookRow, at: Date): Promise<void> {
    const { acquirer, reference, paymentId, webhookHabit: habit } = row;
    const body: AcquirerWebhook = {
      type: 'operation.updated',
      createdAt: at.toISOString(),
      data: this.view.operationOf(row),
    };
    await this.put(tx, { acquirer, reference, paymentId }, body, habit, at);
  }

  /** Tells how a dispute stands now. */
  async addDispute(tx: Tx, row: DisputeRow, at: Date): Promise<void> {
    const { acquirer, disputeId: reference, paymentId } = row;
    const body: AcquirerDisputeWebhook = {
      type: 'dispute.updated',
      createdAt: at.toISOString(),
      data: disputeOf(row),
    };
    await this.put(tx, { acquirer, reference, paymentId }, body, null, at);
  }

  private async put(
    tx: Tx,
    about: Pick<BookRow, 'acquirer' | 'reference' | 'paymentId'>,
    body: AcquirerWebhook | AcquirerDisputeWebhook,
    habit: WebhookHabit | null,
    at: Date,
  ): Promise<void> {
    if (this.config.WEBHOOK_SECRETS[about.acquirer] === undefined) return;
    await insertWebhook(
      tx,
      {
        webhookId: `msg_${randomUUID().replaceAll('-', '')}`,
        ...about,
        body: JSON.stringify(body),
        createdAt: at,
        copies: habit === 'duplicate' ? COPIES_OF_DUPLICATES : 1,
      },
      habit === 'reordered' ? new Date(at.getTime() + this.config.WEBHOOK_HOLD_MS) : null,
    );
    tx.onCommit(() => {
      this.sender.poke();
    });
  }
}
