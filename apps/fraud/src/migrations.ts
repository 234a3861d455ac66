import { FraudRules1764000000000 } from './migrations/0001-rules.js';

/** In order. */
export const migrations = [FraudRules1764000000000];
