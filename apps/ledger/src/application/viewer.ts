import { isStaff, type Principal } from '@payflow/contracts';

import { peoplesAccounts } from '../domain/chart-of-accounts.js';
import type { AccountScope } from '../store/account-rows.js';

/** Staff and services see every account, and so does a client that keeps the company's own books: it acts for no merchant. */
export const seesEverything = (principal: Principal): boolean =>
  isStaff(principal) ||
  (principal.kind === 'client' && principal.roles.length === 0 && principal.merchantId === undefined);

/** The accounts a caller may look into: everybody's; or those of his merchant, and a person's own wallets; or none. */
export const scopeOf = (principal: Principal): AccountScope => ({
  everyone: seesEverything(principal),
  merchantId: principal.merchantId ?? null,
  codePrefix: principal.kind === 'user' ? peoplesAccounts(principal.id) : null,
});
