import { Wallets1763800000000 } from './migrations/0001-wallets.js';

/** In order. */
export const migrations = [Wallets1763800000000];
