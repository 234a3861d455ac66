import { canonicalJson } from '@payflow/kernel';

import type { Owner } from '../domain/ownership.js';
import { seal, unseal } from './seal.js';

/** Where a sealed value belongs. In another row, for another owner, as another field or under another key it does not open. */
export interface SealContext extends Owner {
  readonly tokenId: string;
  readonly field: 'number' | 'holderName' | 'answer';
  readonly keyVersion: number;
}

/** A JSON array: every part is delimited, so that no two contexts have the same spelling. */
const contextText = ({ field, tokenId, merchantId, userId, keyVersion }: SealContext): string =>
  canonicalJson(['payflow.vault.v1', field, tokenId, merchantId, userId, keyVersion]);

export const sealText = (key: Buffer, text: string, context: SealContext): Buffer => {
  const plaintext = Buffer.from(text, 'utf8');
  try {
    return seal(key, plaintext, contextText(context));
  } finally {
    plaintext.fill(0);
  }
};

/** @throws SealBrokenError */
export const unsealText = (key: Buffer, sealed: Buffer, context: SealContext): string => {
  const plaintext = unseal(key, sealed, contextText(context));
  try {
    return plaintext.toString('utf8');
  } finally {
    plaintext.fill(0);
  }
};
