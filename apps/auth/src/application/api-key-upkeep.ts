import { setTimeout as wait } from 'node:timers/promises';

import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Database } from '@payflow/postgres';
import { Logger } from '@payflow/service';

import { TokenIssuer } from '../keys/token-issuer.js';
import { noteUses, revokeExpiredApiKeys } from '../store/api-keys.js';
import { revoke } from '../store/revocations.js';

const INTERVAL_MS = 1_000;
/** A key's last use is written at most this often: it answers "is it still needed?", not "when exactly?". */
const USE_INTERVAL_MS = 60_000;
const KEYS_PER_PASS_MAX = 500;
/** Enough for every key that is in use; beyond that they are written again earlier, which costs a statement. */
const REMEMBERED_MAX = 100_000;

/** What keys need besides requests: their end at their time, and the note that they are used. */
@Injectable()
export class ApiKeyUpkeep implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly used = new Map<string, Date>();
  private readonly notedAt = new Map<string, number>();
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly tokens: TokenIssuer,
    private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.run();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await this.noteUses().catch((error: unknown) => {
      // A last use that is a minute older than it was harms nobody.
      this.logger.warn({ err: error }, 'the last uses of API keys were not written');
    });
  }

  /** The key was exchanged for a token just now. */
  use(id: string): void {
    const now = Date.now();
    if (now - (this.notedAt.get(id) ?? -Infinity) < USE_INTERVAL_MS) return;
    this.used.set(id, new Date(now));
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        await this.noteUses();
        await this.endExpired();
      } catch (error) {
        // The next pass does what this one did not; no token outlives its key by more than that.
        this.logger.warn({ err: error }, 'API keys were not looked after');
      }
      await wait(INTERVAL_MS, undefined, { signal: this.stopping.signal, ref: false }).catch(() => undefined);
    }
  }

  private async noteUses(): Promise<void> {
    if (this.used.size === 0) return;
    const uses = new Map(this.used);
    this.used.clear();
    await noteUses(this.database, uses);
    if (this.notedAt.size > REMEMBERED_MAX) this.notedAt.clear();
    for (const [id, at] of uses) this.notedAt.set(id, at.getTime());
  }

  /** Tokens that were exchanged for a key end with it, not when they expire. */
  private async endExpired(): Promise<void> {
    await this.database.transaction(async (tx) => {
      const ended = await revokeExpiredApiKeys(tx, KEYS_PER_PASS_MAX);
      await revoke(tx, ended, this.tokens.lastExpiry());
    });
  }
}
