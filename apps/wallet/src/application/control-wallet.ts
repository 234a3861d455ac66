import { Injectable } from '@nestjs/common';
import type { Principal, SetWalletLimits } from '@payflow/contracts';
import { Database, type Tx } from '@payflow/postgres';
import {
  entityTag,
  Idempotency,
  InjectConfig,
  Logger,
  Problem,
  type RequestMeta,
  requireVersion,
  type StoredAnswer,
} from '@payflow/service';

import { lockWallets, setFrozen, setLimits, type WalletRow } from '../store/wallets.js';
import type { WalletConfig } from '../wallet.config.js';
import { DisplayedBalances, NO_MONEY } from './displayed-balances.js';
import { walletView } from './wallet-view.js';

const LEASE_MS = 10_000;

/** POST /wallets/{id}/freeze | unfreeze, PUT /wallets/{id}/limits: staff. A second time is a no-op. */
@Injectable()
export class ControlWallet {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly balances: DisplayedBalances,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: WalletConfig,
  ) {}

  /** @throws Problem wallet_not_found | precondition_failed */
  async freeze(
    caller: Principal,
    walletId: string,
    body: { readonly reason: string },
    meta: RequestMeta,
  ): Promise<StoredAnswer> {
    return await this.change(caller, walletId, body, meta, async (tx, wallet) => {
      this.logger.info({ walletId, by: caller.id, reason: body.reason }, 'a wallet is frozen');
      return wallet.status === 'FROZEN' ? wallet : await setFrozen(tx, walletId, body.reason);
    });
  }

  /** @throws Problem wallet_not_found | precondition_failed */
  async unfreeze(
    caller: Principal,
    walletId: string,
    body: { readonly reason: string },
    meta: RequestMeta,
  ): Promise<StoredAnswer> {
    return await this.change(caller, walletId, body, meta, async (tx, wallet) => {
      this.logger.info({ walletId, by: caller.id, reason: body.reason }, 'a wallet is no longer frozen');
      return wallet.status === 'ACTIVE' ? wallet : await setFrozen(tx, walletId, null);
    });
  }

  /** @throws Problem wallet_not_found | precondition_failed */
  async setLimits(
    caller: Principal,
    walletId: string,
    body: SetWalletLimits,
    meta: RequestMeta,
  ): Promise<StoredAnswer> {
    return await this.change(
      caller,
      walletId,
      body,
      meta,
      async (tx) =>
        await setLimits(tx, walletId, {
          transferMaxMinor: minorOrNull(body.transferMax),
          dayMaxMinor: minorOrNull(body.dayMax),
        }),
    );
  }

  private async change(
    caller: Principal,
    walletId: string,
    body: unknown,
    meta: RequestMeta,
    work: (tx: Tx, wallet: WalletRow) => Promise<WalletRow>,
  ): Promise<StoredAnswer> {
    const identity = this.idempotency.identify({ meta, principal: caller, body });
    const options = { resourceId: walletId, leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, async (tx) => {
      const [wallet] = await lockWallets(tx, [walletId]);
      if (wallet === undefined) throw new Problem('wallet_not_found');
      requireVersion(meta.ifMatch, Number(wallet.version));
      const money = (await this.balances.of([wallet])).get(walletId) ?? NO_MONEY;
      const changed = await work(tx, wallet);
      return {
        status: 200,
        body: walletView(changed, money, this.config, new Date()),
        headers: { etag: entityTag(Number(changed.version)) },
      };
    });
  }
}

const minorOrNull = (minor: number | null): bigint | null => (minor === null ? null : BigInt(minor));
