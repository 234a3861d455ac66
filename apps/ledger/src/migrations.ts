import { CreateJournal1763715600000 } from './migrations/1763715600000-create-journal.js';

/** In order. */
export const migrations = [CreateJournal1763715600000];
