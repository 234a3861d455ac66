import { Injectable } from '@nestjs/common';

import { Acquirers } from '../clients/acquirers.js';
import type { Cause } from '../store/payment-events.js';
import { DisputeRecorder, type DisputeRecorded } from './dispute-recorder.js';

/** Asks an acquirer about a dispute that somebody had news of, and records what it answers (ADR 0012). */
@Injectable()
export class InquireDisputes {
  constructor(
    private readonly acquirers: Acquirers,
    private readonly recorder: DisputeRecorder,
  ) {}

  async ask(
    acquirer: string,
    reference: string,
    cause: Cause,
  ): Promise<DisputeRecorded | 'unknown_dispute' | 'no_answer'> {
    const answer = await this.acquirers.disputesOf(acquirer)?.inquire(reference);
    if (answer?.kind === 'not_found') return 'unknown_dispute';
    return answer?.kind === 'told' ? await this.recorder.record(acquirer, answer.dispute, cause) : 'no_answer';
  }
}
