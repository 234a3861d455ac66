import { Injectable } from '@nestjs/common';
import type { DisputeResponseKind } from '@payflow/contracts';
import { Database, type Tx } from '@payflow/postgres';
import { InjectConfig, Problem } from '@payflow/service';

import type { AcquirerSimConfig } from '../acquirer-sim.config.js';
import type { AcquirerName } from '../domain/acquirers.js';
import { mayBecome, verdictOnEvidence } from '../domain/dispute.js';
import { type DisputeRow, findDispute, insertDisputeResponse, lockDisputes } from '../store/disputes.js';
import { deleteDueDisputeState, type DueDisputeState, setDueDisputeState } from '../store/due-disputes.js';
import { EnterDisputeState } from './enter-dispute-state.js';

/** A dispute as it stands, and whether the request changed nothing. */
export interface DisputeAnswer {
  readonly row: DisputeRow;
  readonly replayed: boolean;
}

/** What is answered to a dispute, and how it ends. */
@Injectable()
export class RespondToDispute {
  constructor(
    private readonly database: Database,
    private readonly enterState: EnterDisputeState,
    @InjectConfig() private readonly config: AcquirerSimConfig,
  ) {}

  /**
   * Once for a dispute, while it waits for it: later, or a second time, it is answered as it stands.
   *
   * @throws Problem resource_not_found
   * @throws Problem reference_taken: the same reference gave another kind of response
   */
  async respond(
    acquirer: AcquirerName,
    disputeId: string,
    reference: string,
    evidence: Readonly<Record<string, string>> | null,
  ): Promise<DisputeAnswer> {
    const kind: DisputeResponseKind = evidence === null ? 'accept' : 'evidence';
    return await this.database.transaction(async (tx) => {
      const dispute = await this.lock(tx, acquirer, disputeId);
      if (dispute.responseReference === reference && dispute.response !== kind) {
        throw new Problem('reference_taken', { detail: `Reference ${reference}.` });
      }
      const at = new Date();
      const isLate = at >= dispute.evidenceDueBy;
      if (dispute.status !== 'NEEDS_RESPONSE' || isLate) return { row: dispute, replayed: true };
      await insertDisputeResponse(tx, dispute, { reference, kind, evidence }, at);
      const status = kind === 'accept' ? 'ACCEPTED' : 'UNDER_REVIEW';
      const row = await this.enterState.run(tx, acquirer, disputeId, status, at);
      const verdict = evidence === null ? undefined : verdictOnEvidence(evidence);
      if (verdict !== undefined) {
        const dueAt = new Date(at.getTime() + this.config.PENDING_MS);
        await setDueDisputeState(tx, { acquirer, disputeId, status: verdict }, dueAt);
      }
      return { row, replayed: false };
    });
  }

  /** By the control route. Ended that way already: as it stands. @throws Problem resource_not_found | validation_failed */
  async decide(acquirer: AcquirerName, disputeId: string, outcome: DueDisputeState['status']): Promise<DisputeRow> {
    return await this.database.transaction(async (tx) => {
      const dispute = await this.lock(tx, acquirer, disputeId);
      if (dispute.status === outcome) return dispute;
      if (!mayBecome(dispute.status, outcome)) {
        throw new Problem('validation_failed', { detail: `A dispute that is ${dispute.status} cannot be ${outcome}.` });
      }
      return await this.enterState.run(tx, acquirer, disputeId, outcome, new Date());
    });
  }

  /** The deadline is over, or the bank has read the evidence. */
  async whenDue({ acquirer, disputeId, status }: DueDisputeState): Promise<void> {
    await this.database.transaction(async (tx) => {
      const dispute = await this.lock(tx, acquirer, disputeId);
      // A response, the control route or another instance may have been quicker.
      if (!(await deleteDueDisputeState(tx, acquirer, disputeId))) return;
      if (mayBecome(dispute.status, status)) await this.enterState.run(tx, acquirer, disputeId, status, new Date());
    });
  }

  private async lock(tx: Tx, acquirer: AcquirerName, disputeId: string): Promise<DisputeRow> {
    await lockDisputes(tx, acquirer);
    const dispute = await findDispute(tx, acquirer, disputeId);
    if (dispute === undefined) throw new Problem('resource_not_found', { detail: 'Unknown dispute.' });
    return dispute;
  }
}
