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

/** Something was sealed under a key that is the current one no more. */
export class KeyReplacedError extends Error {
  override readonly name = 'KeyReplacedError';
}

/** The data keys in clear, in memory. Rotations are few, so it holds all that were needed. */
@Injectable()
export class KeyRing {
  private readonly opened = new Map<number, Buffer>();
  private latest: DataKey | undefined;

  constructor(@InjectConfig() private readonly config: TokenizationConfig) {}

  /** The key to seal under, held against retirement until the transaction ends. */
  async current(tx: Tx): Promise<DataKey> {
    const row = await holdCurrentKey(tx);
    return (this.latest = { version: row.version, key: this.open(row) });
  }

  /**
   * Seals under the key that was current last, in the round trip in which the current one is held.
   *
   * @throws KeyReplacedError when a rotation has made a newer one since: nothing must be committed; the next try has it
   */
  async sealingUnder<Result>(tx: Tx, work: (current: DataKey) => Promise<Result>): Promise<Result> {
    const { latest } = this;
    if (latest === undefined) return await work(await this.current(tx));
    const [held, result] = await Promise.all([this.current(tx), work(latest)]);
    if (held.version !== latest.version) throw new KeyReplacedError('the data key was replaced');
    return result;
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
