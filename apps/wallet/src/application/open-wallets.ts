import { Injectable } from '@nestjs/common';
import { type CreateWalletRequest, isStaff, type Principal } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { entityTag, Idempotency, InjectConfig, Problem, type RequestMeta, type StoredAnswer } from '@payflow/service';

import { findDefaultWallet, insertWallet, lockDefaultWallet, type WalletRow } from '../store/wallets.js';
import type { WalletConfig } from '../wallet.config.js';
import { NO_MONEY } from './displayed-balances.js';
import { walletView } from './wallet-view.js';

const LEASE_MS = 5_000;

/** POST /wallets, and the wallets that are made for people who are paid and have none. */
@Injectable()
export class OpenWallets {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    @InjectConfig() private readonly config: WalletConfig,
  ) {}

  /** One more wallet of the caller's. @throws Problem insufficient_scope for whoever is not a person */
  async create(caller: Principal, body: CreateWalletRequest, meta: RequestMeta): Promise<StoredAnswer> {
    if (caller.kind !== 'user') throw new Problem('insufficient_scope', { detail: 'Only people have wallets.' });
    const identity = this.idempotency.identify({ meta, principal: caller, body });
    const options = { resourceId: newId('wal'), leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, async (tx, id) => {
      const currency = body.currency ?? this.config.WALLET_DEFAULT_CURRENCY;
      const wallet = await insertWallet(tx, { id, ownerId: caller.id, currency });
      return {
        status: 201,
        body: walletView(wallet, NO_MONEY, this.config, new Date()),
        headers: { location: `/wallets/${id}`, etag: entityTag(Number(wallet.version)) },
      };
    });
  }

  /** A person's oldest wallet of the currency, made when he has none. */
  async defaultWallet(userId: string, currency: string): Promise<WalletRow> {
    const found = await findDefaultWallet(this.database, userId, currency);
    if (found !== undefined) return found;
    return await this.database.transaction(async (tx) => {
      await lockDefaultWallet(tx, userId, currency);
      const now = await findDefaultWallet(tx, userId, currency);
      return now ?? (await insertWallet(tx, { id: newId('wal'), ownerId: userId, currency }));
    });
  }
}

/** Whether the caller sees this wallet: the owner, and staff. */
export const seesWallet = (caller: Principal, wallet: Pick<WalletRow, 'ownerId'>): boolean =>
  isStaff(caller) || wallet.ownerId === caller.id;
