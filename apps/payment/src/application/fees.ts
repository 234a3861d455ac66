import { Injectable } from '@nestjs/common';
import { WALLET_MERCHANT_ID } from '@payflow/contracts';
import type { FeeTerms } from '@payflow/kernel';
import type { Sql } from '@payflow/postgres';
import { InjectConfig } from '@payflow/service';

import type { PaymentConfig } from '../payment.config.js';
import { findFeeTerms } from '../store/fee-terms.js';

/** Money that is added to a wallet is no sale: all of it arrives. */
const FREE: FeeTerms = { basisPoints: 0, fixedMinor: 0n };

/** What a merchant pays: as agreed for the currency, else as the installation is set. */
@Injectable()
export class Fees {
  readonly otherwise: FeeTerms;

  constructor(@InjectConfig() private readonly config: PaymentConfig) {
    this.otherwise = { basisPoints: config.FEE_BASIS_POINTS, fixedMinor: BigInt(config.FEE_FIXED_MINOR) };
  }

  /** Once for a dispute, whoever wins it. PayFlow does not charge itself for money that was added to a wallet. */
  ofDispute(merchantId: string, currency: string): bigint {
    return merchantId === WALLET_MERCHANT_ID ? 0n : BigInt(this.config.DISPUTE_FEES_MINOR[currency] ?? 0);
  }

  async termsOf(sql: Sql, merchantId: string, currency: string): Promise<FeeTerms> {
    if (merchantId === WALLET_MERCHANT_ID) return FREE;
    return (await findFeeTerms(sql, merchantId, currency)) ?? this.otherwise;
  }
}
