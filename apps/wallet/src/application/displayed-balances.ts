import { Injectable } from '@nestjs/common';
import { SERVICE_POSTINGS_MAX } from '@payflow/contracts';

import { Ledger } from '../clients/clients.module.js';
import { BalanceCache } from '../clients/balance-cache.js';
import { availableAccount, heldAccount } from '../domain/accounts.js';
import type { WalletRow } from '../store/wallets.js';

/** What is in a wallet, in minor units. */
export interface Money {
  readonly available: number;
  readonly held: number;
}

export const NO_MONEY: Money = { available: 0, held: 0 };

/** Each has two accounts. */
const WALLETS_PER_REQUEST = SERVICE_POSTINGS_MAX / 2;

/**
 * Balances to show, never to decide on: the ledger's. A cache in between keeps them by wallet and version, and a version goes
 * up in the commit that records a movement, before anybody is told of it: what was kept before is not asked for any more.
 */
@Injectable()
export class DisplayedBalances {
  constructor(
    private readonly ledger: Ledger,
    private readonly cache: BalanceCache,
  ) {}

  /** Of each wallet, by id. @throws ServiceUnavailableError */
  async of(wallets: readonly WalletRow[]): Promise<ReadonlyMap<string, Money>> {
    const kept = await this.cache.find(wallets);
    const missing = wallets.filter(({ id }) => !kept.has(id));
    if (missing.length === 0) return kept;
    const balances = await this.asked(missing);
    this.cache.keep(missing, balances);
    return new Map([...kept, ...balances]);
  }

  /** As it stood at a time. @throws ServiceUnavailableError */
  async at(wallet: WalletRow, asOf: string): Promise<Money> {
    return (await this.asked([wallet], asOf)).get(wallet.id) ?? NO_MONEY;
  }

  private async asked(wallets: readonly WalletRow[], asOf?: string): Promise<ReadonlyMap<string, Money>> {
    const balances = new Map<string, Money>();
    for (let start = 0; start < wallets.length; start += WALLETS_PER_REQUEST) {
      const some = wallets.slice(start, start + WALLETS_PER_REQUEST);
      const accounts = some.flatMap((wallet) => [
        { code: availableAccount(wallet), currency: wallet.currency },
        { code: heldAccount(wallet), currency: wallet.currency },
      ]);
      const answer = await this.ledger.balances(accounts, asOf);
      for (const [index, { id }] of some.entries()) {
        const available = answer.balances[2 * index]?.balance;
        const held = answer.balances[2 * index + 1]?.balance;
        if (available === undefined || held === undefined) throw new Error('invariant: a balance was left untold');
        balances.set(id, { available, held });
      }
    }
    return balances;
  }
}
