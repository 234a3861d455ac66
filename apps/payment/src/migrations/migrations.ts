import { CreatePayments1763715600000 } from './1763715600000-create-payments.js';

/** In the order in which they are applied. */
export const MIGRATIONS = [CreatePayments1763715600000] as const;
