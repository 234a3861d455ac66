import { Injectable } from '@nestjs/common';
import type { FraudPolicyResponse, SetFraudPolicyRequest } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
import { Database, type Sql } from '@payflow/postgres';
import { Idempotency, InjectConfig, type StoredAnswer } from '@payflow/service';

import type { FraudPolicy } from '../domain/judgement.js';
import type { PaymentConfig } from '../payment.config.js';
import { findFraudPolicy, storeFraudPolicy } from '../store/fraud-policies.js';
import { type CommandRequest, identityOf } from './command-request.js';

const LEASE_MS = 5_000;

/** What holds for a merchant's payments while fraud does not answer; GET and PUT /merchants/{id}/fraud-policy. */
@Injectable()
export class FraudPolicies {
  /** Of a merchant for whom nothing was set. */
  private readonly otherwise: FraudPolicy;

  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    @InjectConfig() config: PaymentConfig,
  ) {
    this.otherwise = { whenDown: 'allow_under', amountMaxMinor: BigInt(config.FRAUD_DOWN_ALLOW_MAX) };
  }

  async of(merchantId: string): Promise<FraudPolicy> {
    return (await findFraudPolicy(this.database, merchantId)) ?? this.otherwise;
  }

  async read(merchantId: string): Promise<FraudPolicyResponse> {
    return await this.readFrom(this.database, merchantId);
  }

  async set(merchantId: string, request: CommandRequest<SetFraudPolicyRequest>): Promise<StoredAnswer> {
    const { body, principal } = request;
    const identity = identityOf(this.idempotency, request);
    const options = { resourceId: merchantId, leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, async (tx) => {
      const policy = { whenDown: body.whenDown, amountMaxMinor: BigInt(body.amountMax) };
      await storeFraudPolicy(tx, merchantId, policy, { at: new Date(), by: principal.id });
      return { status: 200, body: await this.readFrom(tx, merchantId) };
    });
  }

  private async readFrom(sql: Sql, merchantId: string): Promise<FraudPolicyResponse> {
    const set = await findFraudPolicy(sql, merchantId);
    const { whenDown, amountMaxMinor } = set ?? this.otherwise;
    return { merchantId, whenDown, amountMax: minorToJson(amountMaxMinor), isDefault: set === undefined };
  }
}
