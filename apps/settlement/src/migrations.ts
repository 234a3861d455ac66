import { Balances1764002000000 } from './migrations/0001-balances.js';

/** In order. */
export const migrations = [Balances1764002000000];
