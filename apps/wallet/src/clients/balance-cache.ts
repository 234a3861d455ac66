import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectConfig, Logger } from '@payflow/service';
import { Redis } from 'ioredis';
import { z } from 'zod';

import type { WalletConfig } from '../wallet.config.js';

/** Longer, and asking the ledger is faster. */
const TIMEOUT_MS = 50;
const KEPT_SECONDS = 3_600;
const RECONNECT_MS_MAX = 2_000;

interface Versioned {
  readonly id: string;
  readonly version: bigint;
}
interface Money {
  readonly available: number;
  readonly held: number;
}

const moneySchema = z.object({ available: z.int(), held: z.int() });

/**
 * Balances in Redis, where there is one, by wallet and version. Whatever is wrong with it — gone, slow, flushed, full of
 * somebody else's data — looks like a balance it does not have.
 */
@Injectable()
export class BalanceCache implements OnApplicationShutdown {
  private readonly redis: Redis | undefined;
  private reported = false;

  constructor(
    @InjectConfig() config: WalletConfig,
    private readonly logger: Logger,
  ) {
    if (config.REDIS_URL === undefined) return;
    this.redis = new Redis(config.REDIS_URL, {
      connectTimeout: 1_000,
      commandTimeout: TIMEOUT_MS,
      // While it is away, nobody waits for it.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (times) => Math.min(RECONNECT_MS_MAX, times * 100),
    });
    this.redis.on('error', (error: Error) => {
      this.report(error);
    });
    this.redis.on('ready', () => {
      this.reported = false;
    });
  }

  /** Those it has, by the wallets' ids. */
  async find(wallets: readonly Versioned[]): Promise<ReadonlyMap<string, Money>> {
    const found = new Map<string, Money>();
    if (this.redis?.status !== 'ready' || wallets.length === 0) return found;
    try {
      const texts = await this.redis.mget(wallets.map(keyOf));
      for (const [index, { id }] of wallets.entries()) {
        const money = moneyIn(texts[index]);
        if (money !== undefined) found.set(id, money);
      }
    } catch (error) {
      this.report(error);
    }
    return found;
  }

  /** Nobody waits for it. */
  keep(wallets: readonly Versioned[], balances: ReadonlyMap<string, Money>): void {
    if (this.redis?.status !== 'ready') return;
    const pipeline = this.redis.pipeline();
    for (const wallet of wallets) {
      const money = balances.get(wallet.id);
      if (money !== undefined) pipeline.set(keyOf(wallet), JSON.stringify(money), 'EX', KEPT_SECONDS);
    }
    pipeline.exec().catch((error: unknown) => {
      this.report(error);
    });
  }

  onApplicationShutdown(): void {
    this.redis?.disconnect();
  }

  /** Once until it is back: without it everything works. */
  private report(error: unknown): void {
    if (this.reported) return;
    this.reported = true;
    this.logger.warn({ err: error }, 'Redis does not answer; balances are asked of the ledger');
  }
}

const keyOf = ({ id, version }: Versioned): string => `payflow:wallet-balance:${id}:${version.toString()}`;

const moneyIn = (text: string | null | undefined): Money | undefined => {
  if (text === null || text === undefined) return undefined;
  try {
    return moneySchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
};
