import { Injectable } from '@nestjs/common';
import type { Sql, Tx } from '@payflow/postgres';
import { InjectConfig } from '@payflow/service';

import { unwrapKey } from '../crypto/wrapped-key.js';
import { findWrappedKey, holdCurrentKey, type WrappedKeyRow } from '../store/vault-keys.js';
import type { TokenizationConfig } from '../tokenization.config.js';

export interface DataKey {
  readonly version: number;
  readonly key: Buffer;
}

/** The data keys in clear, in memory. Rotations are few, so it holds all that were needed. */
@Injectable()
export class KeyRing {
  private readonly opened = new Map<number, Buffer>();

  constructor(@InjectConfig() private readonly config: TokenizationConfig) {}

  /** The key to seal under, held against retirement until the transaction ends. */
  async current(tx: Tx): Promise<DataKey> {
    const row = await holdCurrentKey(tx);
    return { version: row.version, key: this.open(row) };
  }

  /** The key of a version, to unseal with. */
  async key(sql: Sql, version: number): Promise<Buffer> {
    const known = this.opened.get(version);
    if (known !== undefined) return known;
    const row = await findWrappedKey(sql, version);
    if (row === undefined) throw new Error(`invariant: data key ${version} is missing`);
    return this.open(row);
  }

  /** @throws WrongKekError */
  open({ version, wrappedKey }: WrappedKeyRow): Buffer {
    const known = this.opened.get(version);
    if (known !== undefined) return known;
    const key = unwrapKey(this.config.VAULT_KEK, wrappedKey, version);
    this.opened.set(version, key);
    return key;
  }
}
