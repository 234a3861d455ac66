import type { Database } from '@payflow/postgres';

import { EVENT_LOOP_DELAY_P99_MS_MAX, type EventLoopDelay } from './event-loop.js';
import type { Lifecycle } from './lifecycle.js';

const CHECK_TIMEOUT_MS = 2_000;

/** Resolves when the part works, rejects with the reason when it does not. */
export type HealthCheck = () => Promise<void> | void;

export interface ReadinessReport {
  readonly ready: boolean;
  /** `up`, or why not. */
  readonly checks: Readonly<Record<string, string>>;
  /** States that do not decide: the service serves whatever they say. */
  readonly information: Readonly<Record<string, string>>;
}

/** Whether this instance should get traffic. Modules add what they depend on. */
export class Health {
  private readonly checks = new Map<string, HealthCheck>();
  private readonly states = new Map<string, () => string>();

  constructor(
    private readonly lifecycle: Lifecycle,
    private readonly eventLoopDelay: Pick<EventLoopDelay, 'p99Ms'>,
  ) {}

  contribute(name: string, check: HealthCheck): void {
    this.checks.set(name, check);
  }

  /** Shows a state beside the checks that makes nothing unready. */
  inform(name: string, state: () => string): void {
    this.states.set(name, state);
  }

  contributeDatabase(database: Database): void {
    this.contribute('database', async () => {
      await database.query('SELECT 1');
    });
  }

  async report(): Promise<ReadinessReport> {
    const checks: [string, HealthCheck][] = [
      ['lifecycle', () => requireServing(this.lifecycle)],
      ['eventLoop', () => requireResponsive(this.eventLoopDelay)],
      ...this.checks,
    ];
    const verdicts = await Promise.all(checks.map(async ([name, check]) => [name, await verdictOf(check)] as const));
    return {
      ready: verdicts.every(([, verdict]) => verdict === 'up'),
      checks: Object.fromEntries(verdicts),
      information: Object.fromEntries([...this.states].map(([name, state]) => [name, state()])),
    };
  }
}

const requireServing = (lifecycle: Lifecycle): void => {
  if (lifecycle.isDraining) throw new Error('draining');
  if (!lifecycle.isServing) throw new Error('starting');
};

const requireResponsive = (delay: Pick<EventLoopDelay, 'p99Ms'>): void => {
  if (delay.p99Ms > EVENT_LOOP_DELAY_P99_MS_MAX) throw new Error('the event loop is too slow');
};

const verdictOf = async (check: HealthCheck): Promise<string> => {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error('no answer in time'));
    }, CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([check(), deadline]);
    return 'up';
  } catch (error) {
    return error instanceof Error ? error.message : 'down';
  } finally {
    clearTimeout(timer);
  }
};
