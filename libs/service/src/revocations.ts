import type { Revocations as RevocationsAnswer } from '@payflow/contracts';

import { Problem } from './problem.js';

export type Revocation = RevocationsAnswer['data'][number];

/** How long a request waits, at the start of a service, for the first full reading of the journal. */
const FIRST_READING_WAIT_MS_MAX = 2_000;
const SWEEP_INTERVAL_MS = 60_000;

/**
 * Whose access tokens have stopped working before their time: people, logins, clients, API keys, merchants. A copy of auth's
 * journal as far as it still matters; looked at on every request, so it is a map and nothing is awaited (docs/adr/0013).
 */
export class Revocations {
  /** Until when each subject's revocation matters, in milliseconds. */
  private readonly untilBySubject = new Map<string, number>();
  private loaded = false;
  private whenLoaded: (() => void)[] = [];
  private sweptAtMs = Date.now();

  /** In the order of the journal. An entry that comes twice, or that was passed already, does no harm. */
  apply(entries: readonly Revocation[]): void {
    for (const { subject, revoked, until } of entries) {
      if (revoked) this.untilBySubject.set(subject, until === null ? Infinity : Date.parse(until));
      else this.untilBySubject.delete(subject);
    }
    this.sweep();
  }

  /** The journal has been read to its end for the first time. */
  startServing(): void {
    this.loaded = true;
    for (const resolve of this.whenLoaded.splice(0)) resolve();
  }

  get isLoaded(): boolean {
    return this.loaded;
  }

  get size(): number {
    return this.untilBySubject.size;
  }

  isRevoked(names: readonly string[]): boolean {
    return this.untilBySubject.size > 0 && names.some((name) => this.untilBySubject.has(name));
  }

  /**
   * Before the first reading nobody can tell a revoked token from another, so none is believed.
   *
   * @throws Problem dependency_unavailable
   */
  async requireLoaded(waitMs = FIRST_READING_WAIT_MS_MAX): Promise<void> {
    if (this.loaded) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.whenLoaded.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    if (this.isLoaded) return;
    throw new Problem('dependency_unavailable', { detail: 'Whose tokens were revoked is not known yet.' });
  }

  private sweep(): void {
    const now = Date.now();
    if (now - this.sweptAtMs < SWEEP_INTERVAL_MS) return;
    this.sweptAtMs = now;
    for (const [subject, until] of this.untilBySubject) if (until < now) this.untilBySubject.delete(subject);
  }
}
