import { Injectable } from '@nestjs/common';
import type { Principal } from '@payflow/contracts';
import type { Tx } from '@payflow/postgres';
import { InjectConfig, Problem } from '@payflow/service';

import { decideSpending, type Spending } from '../domain/spending.js';
import { findDefaultWallet, lockWallets, type OwnedWalletRow } from '../store/wallets.js';
import type { WalletConfig } from '../wallet.config.js';
import { defaultLimits } from './default-limits.js';
import { OwnerUnknown } from './money-requests.js';
import { problemOfSpending } from './refusals.js';

export interface NamedWallet {
  readonly walletId?: string | undefined;
  readonly currency?: string | undefined;
}

/** The caller's wallet for money that comes or goes, behind its lock, and whether the rules let it. */
@Injectable()
export class MoneyWallets {
  constructor(@InjectConfig() private readonly config: WalletConfig) {}

  /** @throws Problem wallet_not_found | currency_mismatch, each naming its field */
  async lockOwn(tx: Tx, caller: Principal, named: NamedWallet): Promise<OwnedWalletRow> {
    const walletId = named.walletId ?? (await this.defaultWalletId(tx, caller, named.currency));
    const [wallet] = walletId === undefined ? [] : await lockWallets(tx, [walletId]);
    // To a stranger, a wallet that is not his is one that does not exist.
    if (wallet?.ownerId !== caller.id) {
      const field = named.walletId === undefined ? 'currency' : 'walletId';
      throw new Problem('wallet_not_found', {
        detail: named.walletId === undefined ? 'You have no wallet in this currency.' : 'There is no such wallet.',
        errors: [{ pointer: `/${field}`, code: 'not_found', message: 'is not known' }],
      });
    }
    if (named.currency !== undefined && named.currency !== wallet.currency)
      throw new Problem('currency_mismatch', {
        detail: `The wallet is in ${wallet.currency}, not in ${named.currency}.`,
      });
    return wallet;
  }

  /**
   * Whether so much may leave it now; of what comes in, nothing leaves.
   *
   * @param asked auth was asked already: what is known of the owner is all there is
   * @throws Problem, OwnerUnknown
   */
  spend(wallet: OwnedWalletRow, amountMinor: bigint, at: Date, asked: boolean): Spending {
    const limits = defaultLimits(this.config, wallet.currency);
    const decision = decideSpending(wallet, wallet.owner, amountMinor, at, limits);
    if (decision.ok) return decision.spending;
    const { refusal } = decision;
    // Events may be on their way that say something better of him.
    const mayBeNews = refusal.code === 'owner_unknown' || refusal.code === 'verification_required';
    if (mayBeNews && !asked) throw new OwnerUnknown(wallet.ownerId);
    throw problemOfSpending(refusal);
  }

  private async defaultWalletId(tx: Tx, caller: Principal, currency: string | undefined): Promise<string | undefined> {
    return (await findDefaultWallet(tx, caller.id, currency ?? this.config.WALLET_DEFAULT_CURRENCY))?.id;
  }
}
