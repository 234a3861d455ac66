import { Wallets1763800000000 } from './migrations/0001-wallets.js';
import { Payouts1763805000000 } from './migrations/0002-payouts.js';
import { Orders1763807000000 } from './migrations/0003-orders.js';
import { TransferIntents1763810000000 } from './migrations/0010-transfer-intents.js';

/** In order. */
export const migrations = [
  Wallets1763800000000,
  Payouts1763805000000,
  Orders1763807000000,
  TransferIntents1763810000000,
];
