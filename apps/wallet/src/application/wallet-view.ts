import type { WalletBalance, WalletView } from '@payflow/contracts';
import { currencyOf, majorFromMinor } from '@payflow/kernel';

import { dayOf, limitsOf, spentOn } from '../domain/wallet.js';
import type { WalletRow } from '../store/wallets.js';
import type { WalletConfig } from '../wallet.config.js';
import { defaultLimits } from './default-limits.js';
import type { Money } from './displayed-balances.js';

export const walletView = (wallet: WalletRow, money: Money, config: WalletConfig, at: Date): WalletView => {
  const limits = limitsOf(wallet, defaultLimits(config, wallet.currency));
  const left = limits.dayMaxMinor - spentOn(wallet, dayOf(at));
  return {
    id: wallet.id as WalletView['id'],
    ownerId: wallet.ownerId,
    currency: wallet.currency,
    ...balanceFields(wallet.currency, money),
    status: wallet.status,
    frozenReason: wallet.frozenReason,
    limits: {
      transferMax: Number(limits.transferMaxMinor),
      dayMax: Number(limits.dayMaxMinor),
      dayRemaining: Number(left < 0n ? 0n : left),
    },
    createdAt: wallet.createdAt.toISOString(),
  };
};

export const balanceView = (wallet: WalletRow, money: Money, asOf: string): WalletBalance => ({
  walletId: wallet.id as WalletBalance['walletId'],
  currency: wallet.currency,
  ...balanceFields(wallet.currency, money),
  asOf,
});

const balanceFields = (code: string, { available, held }: Money) => {
  const currency = currencyOf(code);
  if (currency === undefined) throw new Error(`invariant: a wallet in ${code}`);
  const total = available + held;
  return {
    balance: majorFromMinor({ amountMinor: BigInt(total), currency }),
    total,
    available,
    held,
  };
};
