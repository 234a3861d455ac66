import { Injectable } from '@nestjs/common';
import type { AcquirerOperation, BookLine } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
import { InjectConfig, Problem } from '@payflow/service';

import type { AcquirerSimConfig } from '../acquirer-sim.config.js';
import type { BookRow } from '../store/book.js';

export interface OperationAnswer {
  readonly operation: AcquirerOperation;
  /** The reference was in the book before. */
  readonly replayed: boolean;
}

const PORT = 8085;

/** Operations as the simulator answers them. */
@Injectable()
export class OperationView {
  private readonly publicUrl: string;

  constructor(@InjectConfig() config: AcquirerSimConfig) {
    this.publicUrl = config.PUBLIC_URL ?? `http://${config.HOST}:${config.PORT ?? PORT}`;
  }

  /** The operation as it stands now, which is how its reference is answered. */
  operationOf(row: BookRow): AcquirerOperation {
    return {
      reference: row.reference,
      operation: row.operation,
      outcome: row.outcome,
      // An authorization has its id from the start, and shows it when something is held under it.
      authorizationId: row.operation === 'authorize' && row.outcome !== 'approved' ? null : row.authorizationId,
      amount: minorToJson(row.amountMinor),
      ...(row.technical ? { technical: true } : {}),
      ...this.actionOf(row),
      currency: row.currency,
      ...(row.declineCode === null ? {} : { declineCode: row.declineCode }),
      ...(row.adviceCode === null ? {} : { adviceCode: row.adviceCode }),
      message: row.message,
      createdAt: row.createdAt.toISOString(),
    };
  }

  bookLineOf(row: BookRow): BookLine {
    return {
      ...this.operationOf(row),
      paymentId: row.paymentId,
      merchantId: row.merchantId,
      cardBin: row.cardBin,
      cardLast4: row.cardLast4,
    };
  }

  /**
   * The answer to a reference that comes again. A tombstone answers every request under its reference.
   *
   * @throws Problem reference_taken when the reference stands for another request
   */
  replayOf(row: BookRow, hash: Buffer): OperationAnswer {
    if (row.requestHash !== null && !hash.equals(row.requestHash)) {
      throw new Problem('reference_taken', { detail: `Reference ${row.reference}.` });
    }
    return { operation: this.operationOf(row), replayed: true };
  }

  private actionOf({
    acquirer,
    outcome,
    challengeToken,
    challengeExpiresAt,
  }: BookRow): Pick<AcquirerOperation, 'action'> {
    if (outcome !== 'action_required' || challengeToken === null || challengeExpiresAt === null) return {};
    const url = `${this.publicUrl}/acquirers/${acquirer}/challenges/${challengeToken}`;
    return { action: { type: 'redirect', url, expiresAt: challengeExpiresAt.toISOString() } };
  }
}
