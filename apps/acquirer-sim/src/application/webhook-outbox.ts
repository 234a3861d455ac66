import { randomUUID } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import type { AcquirerWebhook } from '@payflow/contracts';
import type { Tx } from '@payflow/postgres';
import { InjectConfig } from '@payflow/service';

import type { AcquirerSimConfig } from '../acquirer-sim.config.js';
import type { WebhookHabit } from '../domain/treatment.js';
import type { BookRow } from '../store/book.js';
import { insertWebhook } from '../store/webhooks.js';
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
    if (this.config.WEBHOOK_SECRETS[acquirer] === undefined) return;
    const body: AcquirerWebhook = {
      type: 'operation.updated',
      createdAt: at.toISOString(),
      data: this.view.operationOf(row),
    };
    await insertWebhook(
      tx,
      {
        webhookId: `msg_${randomUUID().replaceAll('-', '')}`,
        acquirer,
        reference,
        paymentId,
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
