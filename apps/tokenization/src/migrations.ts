import { Vault1763700000000 } from './migrations/0001-vault.js';

/** In order. */
export const migrations = [Vault1763700000000];
