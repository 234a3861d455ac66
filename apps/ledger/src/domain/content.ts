import { canonicalJson } from '@payflow/kernel';

import type { TransactionContent } from './journal.js';

const CONTENT_VERSION = 1;

/**
 * What the content hash is taken of: everything a client says about a transaction. Two drafts with one reference are the
 * same transaction when this text is the same. `codeOf` names accounts by code, so that it does not matter whether the
 * client named one by code or by id.
 */
export const contentText = (content: TransactionContent, codeOf: (name: string) => string): string =>
  canonicalJson({
    version: CONTENT_VERSION,
    reference: content.reference,
    type: content.type,
    effectiveAt: content.effectiveAt?.toISOString() ?? null,
    metadata: content.metadata,
    paymentId: content.provenance.paymentId,
    merchantId: content.provenance.merchantId,
    acquirerReference: content.provenance.acquirerReference,
    reverts: content.provenance.reverts,
    postings: content.postings.map((posting) => ({
      from: codeOf(posting.from),
      to: codeOf(posting.to),
      amount: posting.amountMinor.toString(),
      currency: posting.currency,
      type: posting.entryType,
    })),
  });
