import { Identity1763700000000 } from './migrations/0001-identity.js';
import { Accounts1763700001000 } from './migrations/0002-accounts.js';
import { Access1763700002000 } from './migrations/0003-access.js';

/** In order. */
export const migrations = [Identity1763700000000, Accounts1763700001000, Access1763700002000];
