import { Balances1764002000000 } from './migrations/0001-balances.js';
import { Reconciliation1764003000000 } from './migrations/0002-reconciliation.js';

/** In order. */
export const migrations = [Balances1764002000000, Reconciliation1764003000000];
