import type { ConsumerBinding } from '../message.js';
import { Loop } from '../loop.js';
import { retryDelayMs } from './backoff.js';
import { isInfrastructureFailure } from './failure.js';
import type { IntakeParts } from './intake.js';
import { buryParked, retryMessage } from './retry-one.js';
import { type ClaimedMessage, claimDue, giveBack, postpone } from './retry-sql.js';
import { isHopeless } from './set-aside.js';

const CLAIMS_MAX = 20;

/** Tries parked messages again when they are due. Any number of instances may run it: rows are claimed. */
export class Retries {
  private readonly loop: Loop;
  /** Claimed by a pass that the surroundings ended. */
  private unfinished: readonly ClaimedMessage[] = [];

  constructor(
    private readonly bindings: ReadonlyMap<string, ConsumerBinding>,
    private readonly parts: IntakeParts,
  ) {
    this.loop = new Loop(
      'retries',
      parts.logger,
      parts.settings.retryPollMs,
      () => this.pass(),
      parts.settings.retryIdlePollMs,
    );
  }

  start(): void {
    if (this.bindings.size > 0) this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  /** @returns whether there may be more to do at once */
  private async pass(): Promise<boolean> {
    const { database, settings } = this.parts;
    if (this.unfinished.length > 0) await giveBack(database, this.unfinished);
    this.unfinished = await claimDue(database, [...this.bindings.keys()], CLAIMS_MAX, settings.retryLeaseMs);
    const hadAny = this.unfinished.length > 0;
    for (let [next, ...others] = this.unfinished; next !== undefined; [next, ...others] = others) {
      await this.retry(next);
      this.unfinished = others;
    }
    return hadAny;
  }

  private async retry(message: ClaimedMessage): Promise<void> {
    const binding = this.bindings.get(message.consumer);
    if (binding === undefined) throw new Error(`invariant: no consumer ${message.consumer}`);
    const { database, settings, progress } = this.parts;
    try {
      // The try before was begun and never ended: whatever it was, the process did not survive it.
      if (message.attempts > settings.retryTriesMax) throw new Error('the process ended while it was handled');
      const moved = await database.transaction((tx) => retryMessage(tx, binding, settings, message));
      progress.moved(binding.consumer, moved);
    } catch (error) {
      if (isInfrastructureFailure(error)) throw error;
      await this.fail(binding, message, error);
    }
  }

  private async fail(binding: ConsumerBinding, message: ClaimedMessage, error: unknown): Promise<void> {
    const { database, settings, logger } = this.parts;
    const fields = { err: error, consumer: binding.consumer, eventId: message.eventId, attempts: message.attempts };
    if (isHopeless(error, message.attempts, settings)) {
      logger.error(fields, 'a message became a dead letter');
      await database.transaction((tx) => buryParked(tx, binding, message, error));
      return;
    }
    logger.warn(fields, 'a parked message failed again');
    await postpone(database, message, retryDelayMs(message.attempts, settings, Math.random()));
  }
}
