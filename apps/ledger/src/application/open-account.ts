import { Injectable } from '@nestjs/common';
import type { CreateAccountRequest, Principal } from '@payflow/contracts';
import { isId, newId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { Idempotency, Problem, type RequestIdentity, type StoredAnswer } from '@payflow/service';

import { isReservedCode } from '../domain/chart-of-accounts.js';
import { insertAccounts } from '../store/account-rows.js';
import { accountResponse } from './responses.js';

export interface OpenAccount {
  readonly request: CreateAccountRequest;
  readonly principal: Principal;
  readonly identity: RequestIdentity;
}

const CLAIM_LEASE_MS = 15_000;

/** POST /ledger/accounts */
@Injectable()
export class OpenAccountHandler {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
  ) {}

  async run({ request, principal, identity }: OpenAccount): Promise<StoredAnswer> {
    const { code, currency, floor } = request;
    // A code that looks like an id could name two accounts.
    if (isId('acc', code) || (principal.kind !== 'service' && isReservedCode(code))) {
      throw new Problem('account_reserved', {
        errors: [{ pointer: '/code', code: 'account_reserved', message: 'is reserved' }],
      });
    }
    const accountId = newId('acc');
    const options = { resourceId: accountId, leaseMs: CLAIM_LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, async (tx, resourceId) => {
      const floorMinor = floor === undefined ? null : BigInt(floor);
      const [opened] = await insertAccounts(tx, [{ accountId: resourceId, code, currency, floorMinor }]);
      if (opened === undefined) {
        throw new Problem('account_code_taken', {
          errors: [{ pointer: '/code', code: 'account_code_taken', message: `is taken in ${currency}` }],
        });
      }
      return { status: 201, body: accountResponse(opened), headers: { location: `/ledger/accounts/${opened.id}` } };
    });
  }
}
