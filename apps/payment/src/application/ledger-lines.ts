import { Injectable } from '@nestjs/common';
import { LedgerClient } from '@payflow/clients';
import type { PaymentEntriesResponse } from '@payflow/contracts';
import { InjectConfig, Logger } from '@payflow/service';
import { LRUCache } from 'lru-cache';

import type { PaymentConfig } from '../payment.config.js';

/** Some 30 MB at most: a line is about 300 bytes. Counted in lines, because a payment may have hundreds of refunds. */
const LINES_KEPT_MAX = 100_000;

type Lines = Pick<PaymentEntriesResponse, 'ledgerBalance' | 'entries'>;

/**
 * What the ledger has of a payment. The ledger answers with what the payment's events up to a sequence posted, and neither
 * those events nor their postings ever change: an answer that was complete once is kept, under the payment and its sequence,
 * and the next read needs the ledger no more. Whatever else is posted about a payment (a correction by hand, a settlement)
 * is no part of that answer, or it would grow old here unseen: it must come to be by an event of the payment.
 */
@Injectable()
export class LedgerLines {
  private readonly kept = new LRUCache<string, Lines>({
    maxSize: LINES_KEPT_MAX,
    sizeCalculation: ({ entries }) => entries.length + 1,
  });

  constructor(
    private readonly ledger: LedgerClient,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: PaymentConfig,
  ) {}

  /**
   * Of the payment's events up to `sequence`, those of the last one included. Undefined while the ledger cannot be reached
   * or lags behind: the payment is worth reading without it, and a stale balance is worse than none.
   */
  async upTo(paymentId: string, sequence: number): Promise<Lines | undefined> {
    const key = `${paymentId} ${String(sequence)}`;
    const known = this.kept.get(key);
    if (known) return known;
    const lines = await this.ask(paymentId, sequence);
    if (lines) this.kept.set(key, lines);
    return lines;
  }

  /** As they stood then. Asked for seldom, and for any time: not kept. */
  async asOf(paymentId: string, sequence: number, asOf: string): Promise<Lines | undefined> {
    return await this.ask(paymentId, sequence, asOf);
  }

  private async ask(paymentId: string, sequence: number, asOf?: string): Promise<Lines | undefined> {
    try {
      const { appliedSequence, ledgerBalance, entries } = await this.ledger.paymentEntries(paymentId, {
        sequence,
        waitMs: this.config.LEDGER_WAIT_MS,
        ...(asOf === undefined ? {} : { asOf }),
      });
      return appliedSequence < sequence ? undefined : { ledgerBalance, entries };
    } catch (error) {
      this.logger.warn({ err: error, paymentId }, 'the ledger lines of a payment are missing');
      return undefined;
    }
  }
}
