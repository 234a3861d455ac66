import { Injectable } from '@nestjs/common';
import type { FeeTerms } from '@payflow/kernel';
import type { Sql } from '@payflow/postgres';
import { InjectConfig } from '@payflow/service';

import type { PaymentConfig } from '../payment.config.js';
import { findFeeTerms } from '../store/fee-terms.js';

/** What a merchant pays: as agreed for the currency, else as the installation is set. */
@Injectable()
export class Fees {
  readonly otherwise: FeeTerms;

  constructor(@InjectConfig() config: PaymentConfig) {
    this.otherwise = { basisPoints: config.FEE_BASIS_POINTS, fixedMinor: BigInt(config.FEE_FIXED_MINOR) };
  }

  async termsOf(sql: Sql, merchantId: string, currency: string): Promise<FeeTerms> {
    return (await findFeeTerms(sql, merchantId, currency)) ?? this.otherwise;
  }
}
