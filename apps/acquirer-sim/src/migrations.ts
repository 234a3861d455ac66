import { Book1763700000000 } from './migrations/0001-book.js';

/** In order. */
export const migrations = [Book1763700000000];
