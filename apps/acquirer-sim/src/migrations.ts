import { Book1763700000000 } from './migrations/0001-book.js';
import { Controls1763800000000 } from './migrations/0002-controls.js';
import { Bank1763900000000 } from './migrations/0003-bank.js';
import { Disputes1764000000000 } from './migrations/0004-disputes.js';
import { Reports1764003000000 } from './migrations/0005-reports.js';

/** In order. */
export const migrations = [
  Book1763700000000,
  Controls1763800000000,
  Bank1763900000000,
  Disputes1764000000000,
  Reports1764003000000,
];
