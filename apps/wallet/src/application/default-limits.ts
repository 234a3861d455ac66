import { currencyOf, exponentOf } from '@payflow/kernel';

import type { Limits } from '../domain/wallet.js';
import type { WalletConfig } from '../wallet.config.js';

/** The limits of a currency where staff set no others for the wallet. */
export const defaultLimits = (
  config: Pick<WalletConfig, 'WALLET_TRANSFER_MAX_MAJOR' | 'WALLET_DAY_MAX_MAJOR'>,
  currencyCode: string,
): Limits => {
  const currency = currencyOf(currencyCode);
  if (currency === undefined) throw new Error(`invariant: a wallet in ${currencyCode}`);
  const unit = 10n ** BigInt(exponentOf(currency));
  return {
    transferMaxMinor: BigInt(config.WALLET_TRANSFER_MAX_MAJOR) * unit,
    dayMaxMinor: BigInt(config.WALLET_DAY_MAX_MAJOR) * unit,
  };
};
