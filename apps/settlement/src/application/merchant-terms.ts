import { Injectable } from '@nestjs/common';
import type { PayoutAccountView, ReserveRuleView, SetPayoutAccount, SetReserveRule } from '@payflow/contracts';
import { Database, type Tx } from '@payflow/postgres';
import {
  type Answer,
  entityTag,
  Idempotency,
  type IdentifiedRequest,
  InjectConfig,
  Problem,
  type StoredAnswer,
} from '@payflow/service';

import { MerchantsAtAuth } from '../clients/merchants-at-auth.js';
import { maskedIban, readPayoutAccount } from '../domain/payout-account.js';
import type { SettlementConfig } from '../settlement.config.js';
import { findPayoutAccount, type PayoutAccountRow, storePayoutAccount } from '../store/payout-accounts.js';
import { pokeWaiting } from '../store/payouts.js';
import { listReserveRules, type ReserveRuleRow, storeReserveRule } from '../store/reserves.js';
import { PayoutAccountSeal } from './payout-account-seal.js';
import { RecoverPayouts } from './recover-payouts.js';

const LEASE_MS = 10_000;
const OK = 200;

type Change<Body> = Omit<IdentifiedRequest, 'body'> & { readonly body: Body };

export interface Versioned<View> {
  readonly view: View;
  readonly version: bigint;
}

/** What is agreed on with a merchant: where he is paid out, and what is kept back. */
@Injectable()
export class MerchantTerms {
  /** There are few accounts: from a plain hash of a request one would be found by trying them. */
  private readonly idempotency: Idempotency;

  constructor(
    private readonly database: Database,
    idempotency: Idempotency,
    private readonly merchants: MerchantsAtAuth,
    private readonly seal: PayoutAccountSeal,
    private readonly payouts: RecoverPayouts,
    @InjectConfig() config: SettlementConfig,
  ) {
    this.idempotency = idempotency.underKey(config.BANK_ACCOUNT_KEY);
  }

  /** @throws Problem payout_account_not_found */
  async readAccount(merchantId: string): Promise<Versioned<PayoutAccountView>> {
    const row = await findPayoutAccount(this.database, merchantId);
    if (row === undefined) throw new Problem('payout_account_not_found');
    return { view: accountView(row), version: row.version };
  }

  /** @throws Problem merchant_not_found | bank_account_invalid | precondition_failed */
  async setAccount(merchantId: string, request: Change<SetPayoutAccount>): Promise<StoredAnswer> {
    await this.requireMerchant(merchantId);
    const stored = await this.set(merchantId, request, async (tx) => {
      const account = readPayoutAccount(request.body);
      if (account === undefined) throw unusableAccount();
      const row = await storePayoutAccount(
        tx,
        {
          merchantId,
          sealed: this.seal.seal(account, merchantId),
          masked: maskedIban(account.iban),
          updatedBy: request.principal.id,
        },
        request.meta.ifMatch,
      );
      if (row === undefined) throw new Problem('precondition_failed');
      await pokeWaiting(tx, merchantId);
      return answered(accountView(row), row.version);
    });
    this.payouts.poke();
    return stored;
  }

  /** Nothing is kept back from one with whom nothing was agreed on. @throws Problem merchant_not_found */
  async readReserveRule(merchantId: string): Promise<Versioned<ReserveRuleView>> {
    const [row] = await listReserveRules(this.database, [merchantId]);
    if (row !== undefined) return { view: ruleView(row), version: row.version };
    await this.requireMerchant(merchantId);
    return { view: { merchantId, basisPoints: 0, days: 0 }, version: 0n };
  }

  /** From the next batch on. @throws Problem merchant_not_found | precondition_failed */
  async setReserveRule(merchantId: string, request: Change<SetReserveRule>): Promise<StoredAnswer> {
    await this.requireMerchant(merchantId);
    return await this.set(merchantId, request, async (tx) => {
      const rule = { merchantId, updatedBy: request.principal.id, ...request.body };
      const row = await storeReserveRule(tx, rule, request.meta.ifMatch);
      if (row === undefined) throw new Problem('precondition_failed');
      return answered(ruleView(row), row.version);
    });
  }

  private async set(
    merchantId: string,
    request: IdentifiedRequest,
    work: (tx: Tx) => Promise<Answer>,
  ): Promise<StoredAnswer> {
    const options = { resourceId: merchantId, leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, this.idempotency.identify(request), options, work);
  }

  private async requireMerchant(merchantId: string): Promise<void> {
    if (!(await this.merchants.exists(merchantId))) throw new Problem('merchant_not_found');
  }
}

const answered = (body: unknown, version: bigint): Answer => ({
  status: OK,
  body,
  headers: { etag: entityTag(version) },
});

const accountView = ({ merchantId, masked, updatedAt }: PayoutAccountRow): PayoutAccountView => ({
  merchantId,
  iban: masked,
  updatedAt: updatedAt.toISOString(),
});

const ruleView = ({ merchantId, basisPoints, days }: ReserveRuleRow): ReserveRuleView => ({
  merchantId,
  basisPoints,
  days,
});

const unusableAccount = (): Problem =>
  new Problem('bank_account_invalid', {
    detail: 'The IBAN is wrong: its length, its structure or its check digits.',
    errors: [{ pointer: '/iban', code: 'invalid', message: 'is not valid' }],
  });
