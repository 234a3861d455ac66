import type { ReadDatabase } from './read-database.ts';
import type { Sources } from './sources.ts';

/** What the checks of wallets look at. */
export interface WalletSources extends Sources {
  readonly wallet: ReadDatabase;
}
