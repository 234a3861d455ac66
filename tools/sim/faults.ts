import type { Random } from './random.ts';

/** What can go wrong, and how likely it is each time it could. */
export const FAULTS = {
  /** A process ends between two steps; it is started again a moment later. */
  crash: 0.0018,
  /** A process stands still, like one that is stopped by a signal or collects garbage. */
  pause: 0.001,
  /** A connection is refused: certainly nothing was sent. */
  refused: 0.01,
  request_lost: 0.008,
  reply_lost: 0.012,
  /** The request arrives, but after its sender has stopped waiting. */
  request_late: 0.006,
  reply_late: 0.006,
  /** A client sends the same request to two instances at once. */
  twin_request: 0.06,
  /** A client uses its key for another request. */
  key_reused: 0.04,
  /** A client goes away after the first silence. */
  client_gone: 0.05,
  /** A client asks once more for what it was answered long ago. */
  asked_again: 0.15,
  database_restart: 0.0001,
  database_clock_jump: 0.0003,
  process_clock_jump: 0.0003,
  produce_lost: 0.01,
  produce_late: 0.01,
  ack_lost: 0.02,
  broker_down: 0.001,
  /** Kafka's data is erased, and the outbox is republished. */
  broker_erased: 0.002,
  /** An acknowledged message is not in the log for a long time. */
  message_held_back: 0.004,
  /** An old message is in the log once more. */
  message_repeated: 0.02,
  rebalance: 0.002,
  handler_error: 0.04,
  /** A handler fails with one payment's events until it is mended. */
  handler_broken: 0.003,
  stranger_message: 0.002,
  /** Nobody can connect to the acquirer for a while. */
  acquirer_unreachable: 0.02,
  acquirer_silent_before: 0.04,
  acquirer_silent_after: 0.06,
  acquirer_error_before: 0.02,
  acquirer_error_after: 0.03,
  acquirer_decline: 0.05,
  acquirer_technical: 0.05,
  acquirer_partial: 0.03,
  acquirer_pending: 0.06,
  acquirer_challenge: 0.05,
  acquirer_challenge_abandoned: 0.3,
  acquirer_late_success: 0.03,
  acquirer_refund_fails_later: 0.06,
  acquirer_silent_for_days: 0.015,
  webhook_twice: 0.3,
  webhook_late: 0.2,
} as const;

export type FaultKind = keyof typeof FAULTS;
export const FAULT_KINDS = Object.keys(FAULTS) as readonly FaultKind[];

/** One fault of a run: the kind and which of its strikes, from 1. */
export type FaultName = `${FaultKind}#${number}`;

/**
 * Decides when a fault strikes. Each kind has a stream of chance of its own, and each strike a number, so that a run can
 * be repeated with some of its faults only: that is how a failure is shrunk.
 */
export class Faults {
  /** Those that struck, in order. */
  readonly struck: FaultName[] = [];
  private readonly streams: Readonly<Record<FaultKind, Random>>;
  /** How many chances of each kind pass until it strikes: one draw for each strike and not for each chance. */
  private readonly until: Record<FaultKind, number>;
  private readonly counts = new Map<FaultKind, number>();
  private readonly random: Random;
  private readonly only: ReadonlySet<string> | undefined;
  private readonly observe: ((line: string) => void) | undefined;
  private healed = false;

  /** @param only the faults that may strike; all when undefined */
  constructor(random: Random, only: ReadonlySet<string> | undefined, observe?: (line: string) => void) {
    this.random = random;
    this.only = only;
    this.observe = observe;
    this.streams = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, random.stream(`fault ${kind}`)])) as Record<
      FaultKind,
      Random
    >;
    this.until = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, this.chancesUntil(kind)])) as Record<
      FaultKind,
      number
    >;
  }

  strikes(kind: FaultKind): boolean {
    if (this.healed) return false;
    this.until[kind] -= 1;
    if (this.until[kind] > 0) return false;
    this.until[kind] = this.chancesUntil(kind);
    const count = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, count);
    const name: FaultName = `${kind}#${count}`;
    if (this.only !== undefined && !this.only.has(name)) return false;
    this.struck.push(name);
    this.observe?.(`${' '.repeat(18)}*** ${name}`);
    return true;
  }

  /** Chance for how the strike that was last goes on: how long, how far. */
  detail(kind: FaultKind): Random {
    return this.random.stream(`fault ${kind} ${this.counts.get(kind) ?? 0}`);
  }

  /** Geometrically distributed, as chances that are independent of each other are. */
  private chancesUntil(kind: FaultKind): number {
    return 1 + Math.floor(Math.log(1 - this.streams[kind].fraction()) / Math.log(1 - FAULTS[kind]));
  }

  /** From now on nothing goes wrong any more. */
  heal(): void {
    this.healed = true;
  }
}
