import { Injectable } from '@nestjs/common';
import { isId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { InjectConfig, Problem } from '@payflow/service';

import { paymentInitiationOf } from '../reports/payment-initiation.js';
import type { SettlementConfig } from '../settlement.config.js';
import { listPayable } from '../store/payout-files.js';
import { findRun } from '../store/settlement-runs.js';
import { PayoutAccountSeal } from './payout-account-seal.js';

/** Banks take no more in one file. */
const TRANSFERS_MAX = 20_000;

/** GET /settlements/runs/{runId}/payout-file: the payouts of a run, for a bank that takes files. */
@Injectable()
export class PayoutFile {
  constructor(
    private readonly database: Database,
    private readonly seal: PayoutAccountSeal,
    @InjectConfig() private readonly config: SettlementConfig,
  ) {}

  /**
   * The same run gives the same file as long as none of its payouts fails or finds its account: its id is the run's, by which a
   * bank knows it again.
   *
   * @throws Problem settlement_run_not_found | payout_file_empty | payout_file_too_large
   */
  async of(runId: string): Promise<string> {
    const run = isId('srn', runId) ? await findRun(this.database, runId) : undefined;
    if (run === undefined) throw new Problem('settlement_run_not_found');
    const rows = await listPayable(this.database, runId, TRANSFERS_MAX + 1);
    if (rows.length === 0) throw new Problem('payout_file_empty');
    if (rows.length > TRANSFERS_MAX) throw new Problem('payout_file_too_large');
    return paymentInitiationOf({
      id: runId,
      createdAt: run.createdAt,
      bank: this.config.BANK_NAME,
      transfers: rows.map(({ id, merchantId, amountMinor, currency, accountSealed }) => {
        const { iban, name } = this.seal.unseal(accountSealed, merchantId);
        return {
          reference: id,
          amountMinor,
          currency,
          creditorName: name,
          creditorIban: iban,
          remittance: `PayFlow ${id}`,
        };
      }),
    });
  }
}
