import { Injectable } from '@nestjs/common';
import type { Principal, RunSettlement } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { Idempotency, Problem, type RequestMeta, type StoredAnswer } from '@payflow/service';

import { MerchantsAtAuth } from '../clients/merchants-at-auth.js';
import { runView } from './views.js';
import { findRun, insertRun } from '../store/settlement-runs.js';
import { HearPayments } from './hear-payments.js';
import { SettlementJob } from './settlement-job.js';

const ACCEPTED = 202;
const LEASE_MS = 10_000;

/** POST /settlements/run: asks for a run, which the job takes up at once. */
@Injectable()
export class AskForRun {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly merchants: MerchantsAtAuth,
    private readonly hearing: HearPayments,
    private readonly job: SettlementJob,
  ) {}

  /** @throws Problem merchant_not_found | dependency_unavailable */
  async run(principal: Principal, meta: RequestMeta, body: RunSettlement): Promise<StoredAnswer> {
    // What was captured before it was asked for is in it.
    if (body.merchantId !== undefined) {
      if (!(await this.merchants.exists(body.merchantId))) throw new Problem('merchant_not_found');
      await this.hearing.hearAllOf(body.merchantId);
    }
    const now = new Date();
    const wanted = body.cutoff === undefined ? now : new Date(body.cutoff);
    const answer = await this.idempotency.runOnce(
      this.database,
      this.idempotency.identify({ meta, principal, body }),
      { resourceId: newId('srn'), leaseMs: LEASE_MS, moneyMoving: false },
      async (tx, id) => {
        await insertRun(tx, {
          id,
          merchantId: body.merchantId ?? null,
          cutoffAt: wanted < now ? wanted : now,
          requestedBy: principal.id,
          scheduledFor: null,
        });
        const row = await findRun(tx, id);
        if (row === undefined) throw new Error('invariant: a run has vanished');
        return { status: ACCEPTED, body: runView(row), headers: { location: `/settlements/runs/${id}` } };
      },
    );
    this.job.poke();
    return answer;
  }
}
