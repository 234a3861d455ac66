import { isStaff, type Principal } from '@payflow/contracts';

import type { AccountScope } from '../store/account-rows.js';

/** Whose books a caller may look into: everybody's, one merchant's, or nobody's. */
export type Viewer =
  { readonly kind: 'all' } | { readonly kind: 'merchant'; readonly merchantId: string } | { readonly kind: 'none' };

/** Staff and services see everything, and so does a client that keeps the company's own books: it acts for no merchant. */
export const viewerOf = (principal: Principal): Viewer => {
  if (isStaff(principal)) return { kind: 'all' };
  if (principal.merchantId !== undefined) return { kind: 'merchant', merchantId: principal.merchantId };
  return principal.kind === 'client' && principal.roles.length === 0 ? { kind: 'all' } : { kind: 'none' };
};

/** The same for a query; nobody's books are those of a merchant who cannot exist. */
export const scopeOf = (viewer: Viewer): AccountScope => {
  switch (viewer.kind) {
    case 'all':
      return { merchantId: null };
    case 'merchant':
      return { merchantId: viewer.merchantId };
    case 'none':
      return { merchantId: '' };
  }
};
