import { Deliveries1764001000000 } from './migrations/0001-deliveries.js';
import { Messages1764001100000 } from './migrations/0002-messages.js';

/** In order. */
export const migrations = [Deliveries1764001000000, Messages1764001100000];
