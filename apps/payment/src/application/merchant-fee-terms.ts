import { Injectable } from '@nestjs/common';
import type { FeeTermsResponse, SetFeeTermsRequest } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
import { Database, type Sql } from '@payflow/postgres';
import { Idempotency, type StoredAnswer } from '@payflow/service';

import { listFeeTerms, storeFeeTerms } from '../store/fee-terms.js';
import { type CommandRequest, identityOf } from './command-request.js';
import { Fees } from './fees.js';

const LEASE_MS = 5_000;

/** GET and PUT /merchants/{id}/fee-terms. */
@Injectable()
export class MerchantFeeTerms {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly fees: Fees,
  ) {}

  async read(merchantId: string): Promise<FeeTermsResponse> {
    return await this.readFrom(this.database, merchantId);
  }

  async set(merchantId: string, request: CommandRequest<SetFeeTermsRequest>): Promise<StoredAnswer> {
    const { body, principal } = request;
    const identity = identityOf(this.idempotency, request);
    const options = { resourceId: merchantId, leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, async (tx) => {
      const terms = { basisPoints: body.basisPoints, fixedMinor: BigInt(body.fixed) };
      await storeFeeTerms(tx, merchantId, body.currency, terms, { at: new Date(), by: principal.id });
      return { status: 200, body: await this.readFrom(tx, merchantId) };
    });
  }

  private async readFrom(sql: Sql, merchantId: string): Promise<FeeTermsResponse> {
    const { otherwise } = this.fees;
    return {
      merchantId,
      data: (await listFeeTerms(sql, merchantId)).map(({ currency, basisPoints, fixedMinor }) => ({
        currency,
        basisPoints,
        fixed: minorToJson(fixedMinor),
      })),
      otherwise: { basisPoints: otherwise.basisPoints, fixed: minorToJson(otherwise.fixedMinor) },
    };
  }
}
