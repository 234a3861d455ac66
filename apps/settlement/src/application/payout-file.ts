import { Injectable } from '@nestjs/common';
import { isId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { InjectConfig, Problem } from '@payflow/service';

import { paymentInitiationOf } from '../reports/payment-initiation.js';
import type { SettlementConfig } from '../settlement.config.js';
import { fillFile, goByApi, listFiled } from '../store/payout-files.js';
import { findRun } from '../store/settlement-runs.js';
import { PayoutAccountSeal } from './payout-account-seal.js';

/** Banks take no more in one file. */
const TRANSFERS_MAX = 20_000;

/** GET /settlements/runs/{runId}/payout-file: the payouts of a run that go by file. */
@Injectable()
export class PayoutFile {
  constructor(
    private readonly database: Database,
    private readonly seal: PayoutAccountSeal,
    @InjectConfig() private readonly config: SettlementConfig,
  ) {}

  /**
   * What is in a file stays in it, however often it is fetched, and is in no other: its id is the run's and the part's, by
   * which a bank knows it again. What finds its account later is in the next part.
   *
   * @throws Problem settlement_run_not_found | payouts_go_by_api | payout_file_empty
   */
  async of(runId: string, part: number): Promise<string> {
    const run = isId('srn', runId) ? await findRun(this.database, runId) : undefined;
    if (run === undefined) throw new Problem('settlement_run_not_found');
    const bank = this.config.BANK_NAME;
    const rows = await this.database.transaction(async (tx) => {
      await fillFile(tx, { runId, bank, part }, TRANSFERS_MAX);
      return await listFiled(tx, { runId, bank, part });
    });
    if (rows.length === 0) {
      const byApi = await goByApi(this.database, { runId, bank });
      throw new Problem(byApi ? 'payouts_go_by_api' : 'payout_file_empty');
    }
    return paymentInitiationOf({
      id: `${runId.slice('srn_'.length)}-${part}`,
      createdAt: run.createdAt,
      bank,
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
