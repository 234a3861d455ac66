import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Loop } from '@payflow/messaging';
import { ServiceUnavailableError } from '@payflow/clients';
import { Database, DatabaseUnavailableError } from '@payflow/postgres';
import { Logger, runInContext } from '@payflow/service';

import { disarmTakenTimers, postponeTimers, takeDueTimers, type TakenTimer } from '../store/timers.js';

const POLL_MS = 500;
const RETRY_MS = 1_000;
const RETRY_MS_MAX = 60_000;

/** What looks after the timers of a kind. */
export interface TimerHandler {
  readonly kind: string;
  /** Longer than `handle` takes, its calls to others included: then another instance takes them up. */
  readonly leaseMs: number;
  /** At once. */
  readonly takenMax: number;
  /**
   * @returns those that are to be looked at again, later each time. The others have been: their timers go, unless they were
   *   set anew meanwhile. What it throws puts all of them off.
   */
  handle(taken: readonly TakenTimer[]): Promise<readonly TakenTimer[]>;
}

/**
 * What is to be looked at again at a time: transfers whose outcome is not known, money that waits, holds that expire. Timers
 * are rows, so a restart forgets none, and any number of instances may run this.
 */
@Injectable()
export class Timers implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly handlers: TimerHandler[] = [];
  private readonly loop: Loop;

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
  ) {
    this.loop = new Loop('wallet timers', logger, POLL_MS, () => this.pass());
  }

  /** Before the application starts. */
  handle(handler: TimerHandler): void {
    this.handlers.push(handler);
  }

  /** Something is due now: no need to wait for the next look. */
  poke(): void {
    this.loop.poke();
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** @returns whether there may be more that is due */
  async pass(): Promise<boolean> {
    const more = await Promise.all(this.handlers.map((handler) => this.run(handler)));
    return more.includes(true);
  }

  private async run(handler: TimerHandler): Promise<boolean> {
    const taken = await takeDueTimers(this.database, handler.kind, handler.leaseMs, handler.takenMax);
    if (taken.length === 0) return false;
    const error = await this.tried(handler, taken);
    if (error === undefined) return taken.length === handler.takenMax;
    const fault = !(error instanceof DatabaseUnavailableError || error instanceof ServiceUnavailableError);
    if (!fault || taken.length === 1) {
      this.logger.warn({ err: error, timer: handler.kind, count: taken.length }, 'timers could not be looked after');
      await this.putOff(taken);
      return false;
    }
    // One of them is at fault: alone, it holds up nobody.
    for (const timer of taken) {
      const own = await this.tried(handler, [timer]);
      if (own === undefined) continue;
      this.logger.error(
        { err: own, timer: handler.kind, subject: timer.subjectId },
        'a timer could not be looked after',
      );
      await this.putOff([timer]);
    }
    return taken.length === handler.takenMax;
  }

  /** @returns what went wrong */
  private async tried(handler: TimerHandler, taken: readonly TakenTimer[]): Promise<unknown> {
    try {
      const open = new Set(await runInContext({ requestId: `timer-${handler.kind}` }, () => handler.handle(taken)));
      await disarmTakenTimers(
        this.database,
        taken.filter((timer) => !open.has(timer)),
      );
      await this.putOff([...open]);
      return undefined;
    } catch (error) {
      return error ?? new Error('something that is nothing was thrown');
    }
  }

  private async putOff(taken: readonly TakenTimer[]): Promise<void> {
    const attempts = Math.max(1, ...taken.map((timer) => timer.attempts));
    const delayMs = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(attempts - 1, 10));
    await postponeTimers(this.database, taken, new Date(Date.now() + delayMs));
  }
}
