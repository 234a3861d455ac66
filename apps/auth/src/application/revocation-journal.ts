import { setTimeout as wait } from 'node:timers/promises';

import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { Revocations as RevocationsAnswer } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Logger, type Revocation, Revocations } from '@payflow/service';

import {
  deletePastRevocations,
  journalReached,
  onRevocation,
  type RevocationEntry,
  revocationsAfter,
} from '../store/revocations.js';

const ENTRIES_PER_ANSWER_MAX = 1_000;
/** How soon an entry that another instance wrote is seen here. */
const LOOK_INTERVAL_MS = 200;
const CLEANUP_INTERVAL_MS = 60_000;

/** Tells the other services, and this one, whose tokens are refused (docs/adr/0013). */
@Injectable()
export class RevocationJournal implements OnModuleInit, OnModuleDestroy {
  private position = 0n;
  /** Counts news, so that none is missed between a look and the wait for the next. */
  private turn = 0;
  private readonly waiting = new Set<() => void>();
  private cleanedAtMs = Date.now();
  private readonly stopping = new AbortController();
  private stopListening: (() => void) | undefined;
  private looking: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly revocations: Revocations,
    private readonly logger: Logger,
  ) {}

  /** Before the first request: auth's own requests are checked too. */
  async onModuleInit(): Promise<void> {
    while (await this.look());
    this.revocations.startServing();
    this.stopListening = onRevocation((entries) => {
      this.revocations.apply(entries.map(entryOf));
      this.wake();
    });
    this.looking = this.keepLooking();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopListening?.();
    this.stopping.abort();
    this.wake();
    await this.looking;
  }

  /** What is behind the position: at once when there is something, else when there is, else when the time is over. */
  async after(position: bigint, waitMs: number): Promise<RevocationsAnswer> {
    const deadline = performance.now() + waitMs;
    for (;;) {
      const turn = this.turn;
      const entries = await revocationsAfter(this.database, position, ENTRIES_PER_ANSWER_MAX);
      const last = entries.at(-1);
      if (last) return { position: Number(last.position), data: entries.map(entryOf) };
      if (position > 0n && !(await journalReached(this.database, position))) return { position: 0, data: [] };
      if (performance.now() >= deadline || this.stopping.signal.aborted)
        return { position: Number(position), data: [] };
      if (turn === this.turn) await this.news(deadline - performance.now());
    }
  }

  private async news(withinMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        clearTimeout(timer);
        // Also when the time is over: while there is no news, nobody else would take it out.
        this.waiting.delete(goOn);
        resolve();
      };
      const timer = setTimeout(goOn, withinMs);
      this.waiting.add(goOn);
    });
  }

  private wake(): void {
    this.turn += 1;
    for (const goOn of [...this.waiting]) goOn();
  }

  private async keepLooking(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        const more = await this.look();
        await this.cleanUp();
        if (more) continue;
      } catch (error) {
        // The next look finds what this one missed; who waits is answered at the latest when his time is over.
        this.logger.warn({ err: error }, 'the journal of revocations could not be read');
      }
      await wait(LOOK_INTERVAL_MS, undefined, { signal: this.stopping.signal, ref: false }).catch(() => undefined);
    }
  }

  /** @returns whether there may be more */
  private async look(): Promise<boolean> {
    const entries = await revocationsAfter(this.database, this.position, ENTRIES_PER_ANSWER_MAX);
    const last = entries.at(-1);
    if (!last) return false;
    this.revocations.apply(entries.map(entryOf));
    this.position = last.position;
    this.wake();
    return entries.length === ENTRIES_PER_ANSWER_MAX;
  }

  private async cleanUp(): Promise<void> {
    if (Date.now() - this.cleanedAtMs < CLEANUP_INTERVAL_MS) return;
    this.cleanedAtMs = Date.now();
    await deletePastRevocations(this.database);
  }
}

const entryOf = ({ subject, revoked, until }: RevocationEntry): Revocation => ({
  subject,
  revoked,
  until: until?.toISOString() ?? null,
});
