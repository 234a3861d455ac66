import { canonicalJson } from '@payflow/kernel';

import { newKey, seal, SealBrokenError, unseal } from './seal.js';

/** VAULT_KEK is not the key under which this data key was wrapped. */
export class WrongKekError extends Error {
  override readonly name = 'WrongKekError';
}

const contextText = (version: number): string => canonicalJson(['payflow.vault.v1', 'data-key', version]);

/** A data key as the database holds it: encrypted under the key-encryption key, bound to its version. */
export const wrapKey = (kek: Buffer, key: Buffer, version: number): Buffer => seal(kek, key, contextText(version));

/** @throws WrongKekError */
export const unwrapKey = (kek: Buffer, wrapped: Buffer, version: number): Buffer => {
  try {
    return unseal(kek, wrapped, contextText(version));
  } catch (error) {
    if (!(error instanceof SealBrokenError)) throw error;
    throw new WrongKekError(
      `VAULT_KEK does not open data key ${version}: it is not the key this vault was set up with`,
      {
        cause: error,
      },
    );
  }
};

export const newWrappedKey = (kek: Buffer, version: number): Buffer => {
  const key = newKey();
  try {
    return wrapKey(kek, key, version);
  } finally {
    key.fill(0);
  }
};
