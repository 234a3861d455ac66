import { Injectable } from '@nestjs/common';
import type { CreateTransferIntentRequest, Principal } from '@payflow/contracts';
import { type Currency, currencyOf, isId, newId } from '@payflow/kernel';
import { Database, type Sql } from '@payflow/postgres';
import {
  Idempotency,
  InjectConfig,
  minorOfWritten,
  Problem,
  type RequestMeta,
  type StoredAnswer,
} from '@payflow/service';

import { insertTransferIntent, type TransferIntentRow } from '../store/transfer-intents.js';
import { findDefaultWallet, type WalletRow } from '../store/wallets.js';
import type { WalletConfig } from '../wallet.config.js';
import { KnowOwners } from './know-owners.js';
import { transferIntentView } from './transfer-intent-view.js';

const LEASE_MS = 5_000;

/**
 * POST /payments?fromUser=&toUser=&amount=: what one user will pay another, from default wallet to default wallet. Nothing
 * moves, and nothing is promised: whether there is enough is seen when it is processed.
 */
@Injectable()
export class CreateTransferIntent {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly owners: KnowOwners,
    @InjectConfig() private readonly config: WalletConfig,
  ) {}

  /** @throws Problem user_not_found | wallet_not_found | transfer_to_itself | validation_failed, each naming its field */
  async run(principal: Principal, meta: RequestMeta, body: CreateTransferIntentRequest): Promise<StoredAnswer> {
    const identity = this.idempotency.identify({ meta, principal, body });
    const options = { resourceId: newId('txn'), leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, async (tx, id) => {
      const intent = { ...(await this.intentOf(tx, principal, body)), id, createdAt: new Date() };
      await insertTransferIntent(tx, intent);
      return {
        status: 201,
        body: transferIntentView({ ...intent, transactionStatus: null, reason: null }),
        headers: { location: `/payments/${id}` },
      };
    });
  }

  private async intentOf(
    sql: Sql,
    principal: Principal,
    body: CreateTransferIntentRequest,
  ): Promise<Omit<TransferIntentRow, 'id' | 'createdAt' | 'transactionStatus' | 'reason'>> {
    const currency = knownCurrency(body.currency ?? this.config.WALLET_DEFAULT_CURRENCY);
    const amountMinor = minorOfWritten(body.amount, currency);
    const fromUser = await this.userOf(body.fromUser);
    // Whoever names another as the payer learns nothing about him.
    if (fromUser === undefined || fromUser !== principal.id) throw notFound('user_not_found', 'fromUser');
    const toUser = await this.userOf(body.toUser);
    if (toUser === undefined) throw notFound('user_not_found', 'toUser');
    if (toUser === fromUser) throw new Problem('transfer_to_itself');
    const [from, to] = [
      await this.walletOf(sql, fromUser, currency, 'fromUser'),
      await this.walletOf(sql, toUser, currency, 'toUser'),
    ];
    return { fromUser, toUser, fromWalletId: from.id, toWalletId: to.id, amountMinor, currency };
  }

  /** By id, or by user name. */
  private async userOf(named: string): Promise<string | undefined> {
    return isId('usr', named) ? named : (await this.owners.byUsername(named))?.userId;
  }

  private async walletOf(sql: Sql, userId: string, currency: Currency, field: string): Promise<WalletRow> {
    const wallet = await findDefaultWallet(sql, userId, currency);
    if (wallet === undefined) throw notFound('wallet_not_found', field, `has no wallet in ${currency}`);
    return wallet;
  }
}

const knownCurrency = (code: string): Currency => {
  const currency = currencyOf(code);
  if (currency === undefined) throw new Error(`invariant: ${code} was checked`);
  return currency;
};

const notFound = (code: 'user_not_found' | 'wallet_not_found', field: string, message = 'is not known'): Problem =>
  new Problem(code, { errors: [{ pointer: `/${field}`, code: 'not_found', message }] });
