import { Book1763700000000 } from './migrations/0001-book.js';
import { Controls1763800000000 } from './migrations/0002-controls.js';

/** In order. */
export const migrations = [Book1763700000000, Controls1763800000000];
