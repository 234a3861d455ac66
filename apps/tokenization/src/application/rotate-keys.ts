import { setTimeout as wait } from 'node:timers/promises';

import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Principal, VaultKeysResponse } from '@payflow/contracts';
import { Database, type Sql, type Tx } from '@payflow/postgres';
import { crashPoint, InjectConfig, Logger, type RequestMeta, type StoredAnswer } from '@payflow/service';

import { type SealContext, sealText, unsealText } from '../crypto/card-seal.js';
import { newWrappedKey } from '../crypto/wrapped-key.js';
import { storeResealed, tokensUnderOlderKeys, type Resealed, type TokenRow } from '../store/tokens.js';
import {
  advanceRotation,
  finishRotation,
  insertKey,
  insertRotation,
  keyUsage,
  latestRotation,
  lockOlderKeys,
  olderKeysInUse,
  type RotationRow,
  takeRotation,
} from '../store/vault-keys.js';
import type { TokenizationConfig } from '../tokenization.config.js';
import { type DataKey, KeyRing } from './key-ring.js';
import { VaultRequests } from './vault-requests.js';

const BATCH_ROWS_MAX = 200;
/** How often an instance looks for a rotation that another one left behind. */
const POLL_MS = 10_000;
const RETRY_MS = 500;
const ROUTE = 'vault-keys';

/**
 * A new data key for new cards, then every older card under it, batch by batch behind a stored cursor. Whichever instance
 * lives goes on with it. Tokens can be used throughout: a row names the key it is sealed under.
 */
@Injectable()
export class RotateKeys implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stop = new AbortController();
  private working: Promise<void> | undefined;
  private poll: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly requests: VaultRequests,
    private readonly keyRing: KeyRing,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: TokenizationConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.work();
    this.poll = setInterval(() => {
      this.work();
    }, POLL_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.poll);
    this.stop.abort();
    await this.working;
  }

  /** Begins a rotation, or joins the one that is running. */
  async begin(caller: Principal, meta: RequestMeta): Promise<StoredAnswer> {
    const answer = await this.requests.runOnce({ meta, principal: caller, body: null }, ROUTE, async (tx) => {
      const latest = await latestRotation(tx);
      if (latest === undefined || latest.finishedAt !== null) await this.beginRotation(tx);
      return { status: 202, body: await vaultKeys(tx) };
    });
    this.work();
    return answer;
  }

  async keys(): Promise<VaultKeysResponse> {
    return await this.database.snapshot(vaultKeys);
  }

  private async beginRotation(tx: Tx): Promise<void> {
    const at = new Date();
    const version = Math.max(0, ...(await keyUsage(tx)).map((key) => key.version)) + 1;
    const wrappedKey = newWrappedKey(this.config.VAULT_KEK, version);
    crashPoint('vault.rotation.after-key-wrap');
    // Of two that begin at the same moment, one makes the version and the other joins it.
    if (await insertKey(tx, version, wrappedKey, at)) await insertRotation(tx, version, at);
  }

  /** Runs in the background until nothing is left to do; one run at a time. */
  private work(): void {
    this.working ??= this.rotate().finally(() => {
      this.working = undefined;
    });
  }

  private async rotate(): Promise<void> {
    while (!this.stop.signal.aborted) {
      try {
        if (!(await this.step())) return;
        crashPoint('vault.rotation.after-batch');
      } catch (error) {
        this.logger.error({ err: error }, 'a batch of the key rotation failed; it is tried again');
        await wait(RETRY_MS, undefined, { signal: this.stop.signal }).catch(() => undefined);
      }
    }
  }

  /** One batch in one transaction. @returns whether more may be left */
  private async step(): Promise<boolean> {
    return await this.database.transaction(async (tx) => {
      const rotation = await takeRotation(tx);
      if (rotation === undefined) return false;
      const rows = await tokensUnderOlderKeys(tx, rotation.toVersion, rotation.cursor, BATCH_ROWS_MAX);
      const last = rows.at(-1);
      if (last === undefined) return await this.finish(tx, rotation);
      const target = { version: rotation.toVersion, key: await this.keyRing.key(tx, rotation.toVersion) };
      await storeResealed(tx, rotation.toVersion, await this.resealed(tx, rows, target));
      await advanceRotation(tx, rotation.toVersion, last.tokenId, rows.length);
      crashPoint('vault.rotation.before-batch-commit');
      return true;
    });
  }

  private async resealed(tx: Tx, rows: readonly TokenRow[], target: DataKey): Promise<readonly Resealed[]> {
    const result: Resealed[] = [];
    for (const row of rows) {
      const key = await this.keyRing.key(tx, row.keyVersion);
      if (row.sealedNumber === null) throw new Error('invariant: only rows with a card are re-encrypted');
      result.push({
        tokenId: row.tokenId,
        sealedNumber: reseal(key, target, row.sealedNumber, { ...row, field: 'number' }),
        sealedHolder: row.sealedHolder && reseal(key, target, row.sealedHolder, { ...row, field: 'holderName' }),
      });
    }
    return result;
  }

  /** Retires the older keys, unless a card that was sealed meanwhile, behind the cursor, still needs one. */
  private async finish(tx: Tx, { toVersion }: RotationRow): Promise<boolean> {
    await lockOlderKeys(tx, toVersion);
    if (await olderKeysInUse(tx, toVersion)) {
      await advanceRotation(tx, toVersion, '', 0);
      return true;
    }
    await finishRotation(tx, toVersion, new Date());
    this.logger.info({ keyVersion: toVersion }, 'key rotation finished');
    return true;
  }
}

const reseal = (key: Buffer, target: DataKey, sealed: Buffer, context: SealContext): Buffer =>
  sealText(target.key, unsealText(key, sealed, context), { ...context, keyVersion: target.version });

const vaultKeys = async (sql: Sql): Promise<VaultKeysResponse> => {
  const keys = await keyUsage(sql);
  const rotation = await latestRotation(sql);
  return {
    keys: keys.map(({ version, createdAt, retiredAt, tokens }) => ({
      version,
      createdAt: createdAt.toISOString(),
      retiredAt: retiredAt?.toISOString() ?? null,
      tokens,
    })),
    rotation:
      rotation === undefined
        ? null
        : {
            toVersion: rotation.toVersion,
            reencrypted: rotation.reencrypted,
            startedAt: rotation.startedAt.toISOString(),
            finishedAt: rotation.finishedAt?.toISOString() ?? null,
          },
  };
};
