import { Identity1763700000000 } from './migrations/0001-identity.js';

/** In order. */
export const migrations = [Identity1763700000000];
