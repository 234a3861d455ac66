import type { Faults } from './faults.ts';
import type { Flow, Wait } from './flow.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import { DatabaseDown, type Transaction } from './store.ts';

const STEP_MS_MAX = 1.5;
const RESTART_MS = [200, 6_000] as const;
const PAUSE_MS = [50, 90_000] as const;
/** Back a little, or forward far: a clock that runs behind by days would make an authorization look old when it is made. */
const CLOCK_JUMP_MS = [-2 * 3_600_000, 2 * 3_600_000] as const;
const FAR_CLOCK_JUMP_MS = 10 * 86_400_000;

export interface Surroundings {
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly random: Random;
  /** A process ended; its connections are gone. */
  crashed(process: Process): void;
}

/**
 * One process of a service. Its flows take a step at a time, in any order among each other; a crash ends them all, and
 * whatever they had not committed.
 */
export class Process {
  readonly name: string;
  readonly transactions = new Set<Transaction>();
  isUp = false;
  /** How far its clock is off. */
  clockOffsetMs = 0;
  life = 0;
  private pausedUntilMs = 0;
  private readonly whenCrashed: (() => void)[] = [];
  private readonly around: Surroundings;
  private readonly random: Random;
  private readonly start: () => void;

  /** @param start what it does whenever it is started */
  constructor(name: string, around: Surroundings, start: (process: Process) => void) {
    this.name = name;
    this.around = around;
    this.random = around.random.stream(`process ${name}`);
    this.start = () => {
      start(this);
    };
  }

  boot(): void {
    this.isUp = true;
    this.life += 1;
    this.start();
  }

  /** Its own clock. */
  nowMs(): number {
    return this.around.scheduler.nowMs + this.clockOffsetMs;
  }

  run(label: string, flow: Flow<unknown>): void {
    this.later(label, flow, this.life, this.stepMs(), undefined);
  }

  crash(restartAfterMs: number): void {
    this.isUp = false;
    for (const transaction of this.transactions) transaction.rollback();
    for (const lose of this.whenCrashed.splice(0)) lose();
    this.around.crashed(this);
    this.around.scheduler.after(restartAfterMs, `${this.name} starts`, () => {
      if (!this.isUp) this.boot();
    });
  }

  /** What is in its memory only is lost with it. */
  onceCrashed(lose: () => void): void {
    this.whenCrashed.push(lose);
  }

  /** The next step may be taken after about this long. */
  stepMs(): number {
    return this.random.fraction() * STEP_MS_MAX;
  }

  private later(label: string, flow: Flow<unknown>, life: number, delayMs: number, input: unknown): void {
    this.around.scheduler.after(delayMs, label, () => {
      this.step(label, flow, life, input);
    });
  }

  private step(label: string, flow: Flow<unknown>, life: number, input: unknown): void {
    if (this.life !== life || !this.isUp) return;
    const { scheduler, faults } = this.around;
    if (faults.strikes('crash')) {
      this.crash(faults.detail('crash').between(...RESTART_MS));
      return;
    }
    if (faults.strikes('pause')) this.pausedUntilMs = scheduler.nowMs + faults.detail('pause').between(...PAUSE_MS);
    if (faults.strikes('process_clock_jump')) {
      const detail = faults.detail('process_clock_jump');
      this.clockOffsetMs = detail.chance(0.3) ? FAR_CLOCK_JUMP_MS : detail.between(...CLOCK_JUMP_MS);
    }
    if (scheduler.nowMs < this.pausedUntilMs) {
      this.later(label, flow, life, this.pausedUntilMs - scheduler.nowMs, input);
      return;
    }
    const { done, value } = nextOf(flow, input);
    if (done === true || value === undefined) return;
    if (typeof value === 'number') {
      this.later(label, flow, life, value, undefined);
      return;
    }
    value.onSettled((settled) => {
      this.later(label, flow, life, this.stepMs(), settled);
    });
  }
}

/** A flow that nobody waits for ends with its database; everything else that it throws is a bug. */
const nextOf = (
  flow: Flow<unknown>,
  input: unknown,
): { readonly done?: boolean | undefined; readonly value?: Wait | undefined } => {
  try {
    const { done, value } = flow.next(input);
    return done === true ? { done: true } : { value };
  } catch (error) {
    if (error instanceof DatabaseDown) return { done: true };
    throw error;
  }
};
