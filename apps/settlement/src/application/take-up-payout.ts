import { Injectable } from '@nestjs/common';
import type { TakeUpPayout as Decision } from '@payflow/contracts';
import { Outbox } from '@payflow/messaging';
import { Database, type Tx } from '@payflow/postgres';
import { type Answer, Idempotency, type IdentifiedRequest, Problem, type StoredAnswer } from '@payflow/service';

import { decidePayout, hasEnded } from '../domain/payout.js';
import { insertDecision } from '../store/payout-decisions.js';
import { findPayout, lockPayouts, takeUpPayout } from '../store/payouts.js';
import { recordPayouts } from './record-payouts.js';
import { RecoverPayouts } from './recover-payouts.js';
import { payoutView } from './views.js';

const LEASE_MS = 10_000;
const OK = 200;

/** POST /payouts/{payoutId}/take-up: the way back of a payout that bank or ledger have contradicted. */
@Injectable()
export class TakeUpPayout {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly outbox: Outbox,
    private readonly payouts: RecoverPayouts,
  ) {}

  /** @throws Problem payout_not_found | payout_needs_nobody | payout_not_decidable */
  async run(
    payoutId: string,
    request: Omit<IdentifiedRequest, 'body'> & { readonly body: Decision },
  ): Promise<StoredAnswer> {
    const options = { resourceId: payoutId, leaseMs: LEASE_MS, moneyMoving: false };
    const identity = this.idempotency.identify(request);
    const stored = await this.idempotency.runOnce(
      this.database,
      identity,
      options,
      async (tx) => await this.decide(tx, payoutId, request.body, request.principal.id),
    );
    this.payouts.poke();
    return stored;
  }

  private async decide(tx: Tx, payoutId: string, { reason, outcome }: Decision, decidedBy: string): Promise<Answer> {
    const [row] = await lockPayouts(tx, [payoutId]);
    if (row === undefined) throw new Problem('payout_not_found');
    if (row.attention === null) throw new Problem('payout_needs_nobody');
    const payout = decidePayout(row, outcome);
    if (payout === undefined) throw new Problem('payout_not_decidable');
    await insertDecision(tx, row, { attention: row.attention, outcome: outcome ?? null, reason, decidedBy });
    await recordPayouts(tx, this.outbox, [{ before: row, bankReference: null, result: { kind: 'changed', payout } }]);
    await takeUpPayout(tx, payoutId, hasEnded(payout));
    const after = await findPayout(tx, payoutId);
    if (after === undefined) throw new Error('invariant: a payout is gone');
    return { status: OK, body: payoutView(after) };
  }
}
