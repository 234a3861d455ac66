import { Deliveries1764001000000 } from './migrations/0001-deliveries.js';

/** In order. */
export const migrations = [Deliveries1764001000000];
