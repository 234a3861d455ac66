import { isStaff, type Principal } from '@payflow/contracts';
import type { Sql } from '@payflow/postgres';
import { Problem } from '@payflow/service';

import { findMerchant } from '../store/merchants.js';

/**
 * Staff works for every merchant, everybody else for his own: another one is not there.
 *
 * @throws Problem merchant_not_found
 */
export const requireOwnMerchant = (principal: Principal, merchantId: string): void => {
  if (!isStaff(principal) && principal.merchantId !== merchantId) throw new Problem('merchant_not_found');
};

/** The same, for what is listed: an empty list of a merchant that does not exist would be a lie to staff. @throws Problem merchant_not_found */
export const requireOwnExistingMerchant = async (sql: Sql, principal: Principal, merchantId: string): Promise<void> => {
  requireOwnMerchant(principal, merchantId);
  if (!(await findMerchant(sql, merchantId))) throw new Problem('merchant_not_found');
};
