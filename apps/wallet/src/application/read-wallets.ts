import { Injectable } from '@nestjs/common';
import {
  isStaff,
  type listWalletsQuerySchema,
  type Principal,
  type WalletBalance,
  type WalletView,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { InjectConfig, Problem } from '@payflow/service';
import type { z } from 'zod';

import { findDefaultWallet, findWallet, listWallets, type WalletRow } from '../store/wallets.js';
import type { WalletConfig } from '../wallet.config.js';
import { DisplayedBalances, NO_MONEY } from './displayed-balances.js';
import { seesWallet } from './open-wallets.js';
import { balanceView, walletView } from './wallet-view.js';

/** GET /wallets, /wallets/{id}, /wallets/{id}/balance, /wallet/balance */
@Injectable()
export class ReadWallets {
  constructor(
    private readonly database: Database,
    private readonly balances: DisplayedBalances,
    @InjectConfig() private readonly config: WalletConfig,
  ) {}

  async page(
    caller: Principal,
    query: z.infer<typeof listWalletsQuerySchema>,
  ): Promise<{ readonly data: readonly WalletView[]; readonly nextCursor: string | null }> {
    const ownerId = isStaff(caller) ? query.ownerId : caller.id;
    const filter = { ownerId, currency: query.currency };
    const rows = await listWallets(this.database, filter, query.cursor, query.limit + 1);
    const shown = rows.slice(0, query.limit);
    const nextCursor = rows.length > query.limit ? (shown.at(-1)?.id ?? null) : null;
    return { data: await this.views(shown), nextCursor };
  }

  /** @throws Problem wallet_not_found */
  async one(caller: Principal, walletId: string): Promise<{ readonly view: WalletView; readonly version: number }> {
    const wallet = await this.seen(caller, walletId);
    const [view] = await this.views([wallet]);
    if (view === undefined) throw new Error('invariant: one wallet has one view');
    return { view, version: Number(wallet.version) };
  }

  /** @throws Problem wallet_not_found */
  async balance(caller: Principal, walletId: string, asOf: string | undefined): Promise<WalletBalance> {
    const wallet = await this.seen(caller, walletId);
    if (asOf !== undefined) return balanceView(wallet, await this.balances.at(wallet, asOf), asOf);
    return await this.balanceNow(wallet);
  }

  /** Of the caller's oldest wallet of the currency. @throws Problem wallet_not_found */
  async ownBalance(caller: Principal, currency: string | undefined): Promise<WalletBalance> {
    const wanted = currency ?? this.config.WALLET_DEFAULT_CURRENCY;
    const wallet = await findDefaultWallet(this.database, caller.id, wanted);
    if (wallet === undefined) throw new Problem('wallet_not_found', { detail: `You have no wallet in ${wanted}.` });
    return await this.balanceNow(wallet);
  }

  /** @throws Problem wallet_not_found also for a stranger's */
  async seen(caller: Principal, walletId: string): Promise<WalletRow> {
    const wallet = await findWallet(this.database, walletId);
    if (wallet === undefined || !seesWallet(caller, wallet)) throw new Problem('wallet_not_found');
    return wallet;
  }

  private async balanceNow(wallet: WalletRow): Promise<WalletBalance> {
    const balances = await this.balances.of([wallet]);
    return balanceView(wallet, balances.get(wallet.id) ?? NO_MONEY, new Date().toISOString());
  }

  private async views(wallets: readonly WalletRow[]): Promise<WalletView[]> {
    const balances = await this.balances.of(wallets);
    const at = new Date();
    return wallets.map((wallet) => walletView(wallet, balances.get(wallet.id) ?? NO_MONEY, this.config, at));
  }
}
