import { Book1763700000000 } from './migrations/0001-book.js';
import { Controls1763800000000 } from './migrations/0002-controls.js';
import { Bank1763900000000 } from './migrations/0003-bank.js';

/** In order. */
export const migrations = [Book1763700000000, Controls1763800000000, Bank1763900000000];
