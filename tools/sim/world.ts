import { type Currency, currencyOf, type FeeTerms, type Id, type IdPrefix } from '@payflow/kernel';
import type { Envelope } from '@payflow/contracts';

import type { PaymentEvent } from '../../apps/payment/src/domain/events.js';
import type { Payment } from '../../apps/payment/src/domain/payment.js';
import { Acquirer } from './actors/acquirer.ts';
import { Broker } from './actors/broker.ts';
import { Clients } from './actors/client.ts';
import { ConsumerGroup } from './actors/consumer.ts';
import { type JournalTransaction, Ledger, type PostAnswer, type PostRequest } from './actors/ledger.ts';
import { type Answer, type Command, PaymentService, type Webhook } from './actors/payment.ts';
import { Faults } from './faults.ts';
import {
  requireAll,
  requireNotWaitedFor,
  requireShown,
  requireSoundPayment,
  requireSoundTransaction,
} from './invariants.ts';
import { type Called, Network, servedBy } from './network.ts';
import type { Reply } from './flow.ts';
import type { Process, Surroundings } from './process.ts';
import { hashOfText, Random } from './random.ts';
import type { AttemptRow } from './payment-tables.ts';
import { Scheduler } from './scheduler.ts';
import type { Seams } from './seams.ts';
import { Database } from './store.ts';
import { Violation } from './violation.ts';
import { FUNDING, type Story, storiesOf, WALLETS } from './workload.ts';

/** All that decides a run. The same plan is the same run, to the event. */
export interface Plan {
  readonly seed: number;
  /** Another order of things with the same requests and the same faults allowed; 0 unless a failure was shrunk. */
  readonly salt?: number | undefined;
  /** Payments and transfers that clients begin. */
  readonly stories: number;
  /** Only these stories and requests; all when undefined. */
  readonly onlyStories?: ReadonlySet<string> | undefined;
  /** Only these faults; all when undefined. */
  readonly onlyFaults?: ReadonlySet<string> | undefined;
}

const EPOCH_MS = Date.UTC(2026, 0, 5, 9);
const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;
const LONGEST_MS = 90 * DAY;
/** Faults go on for as long as every inquiry of the schedule has been made. */
const HEAL_AFTER_MS = 3 * DAY;
const CLOCK_JUMP_MS = [-2 * HOUR, 2 * HOUR] as const;
const EVENTS_PER_STORY_MAX = 1_500;

/** The whole system in one thread: two processes each of payment, ledger and a subscriber, a broker, two acquirers. */
export class World implements Surroundings {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly faults: Faults;
  readonly network: Network;
  readonly seams: Seams;
  readonly broker: Broker;
  readonly payment: PaymentService;
  readonly ledger: Ledger;
  readonly feed: ConsumerGroup;
  /** How often each event took effect at the subscriber. */
  readonly fed = new Map<string, number>();
  readonly acquirers: ReadonlyMap<string, Acquirer>;
  readonly clients: Clients;
  /** When each hold was recorded, by the simulation's own clock. */
  readonly authorizedAtMs = new Map<string, number>();
  private readonly ids = new Map<string, number>();
  private readonly stories: readonly Story[];
  private healing = false;

  constructor(plan: Plan, seams: Seams, trace?: (line: string) => void) {
    this.scheduler = new Scheduler(
      trace === undefined
        ? undefined
        : (atMs, label) => trace(`${(atMs / SECOND).toFixed(4).padStart(14)} s  ${label}`),
    );
    this.seams = seams;
    const chance = plan.salt ? new Random(plan.seed).stream(`salt ${plan.salt}`) : new Random(plan.seed);
    this.random = chance.stream('world');
    this.faults = new Faults(chance, plan.onlyFaults, trace);
    this.network = new Network(this);
    this.broker = new Broker(this);
    this.payment = new PaymentService(this, 2);
    this.ledger = new Ledger(this);
    const fed = this.fed;
    this.feed = new ConsumerGroup(this, 'feed', false, new Database('feed database', this.scheduler), function* (
      tx,
      envelopes,
    ) {
      tx.write(() => {
        for (const { eventId } of envelopes) fed.set(eventId, (fed.get(eventId) ?? 0) + 1);
      });
    });
    this.acquirers = new Map(['alfa', 'beta'].map((name) => [name, new Acquirer(name, this)]));
    this.clients = new Clients(this);
    this.stories = wanted(storiesOf(new Random(plan.seed), plan.stories), plan.onlyStories);
    for (const database of [this.payment.database, this.ledger.database, this.feed.database])
      database.onBegin = () => {
        this.strikeDatabase(database);
      };
  }

  /** @throws Violation at the first event at which something does not hold, or at the end */
  run(): void {
    this.ledger.openAccount(FUNDING, 'EUR', null);
    for (const wallet of WALLETS) this.ledger.openAccount(wallet, 'EUR', 0n);
    for (const process of this.processes()) process.boot();
    for (const story of this.stories) this.clients.tell(story);
    const eventsMax = (this.stories.length + 1) * EVENTS_PER_STORY_MAX;
    while (this.scheduler.runNext()) {
      this.healWhenDone();
      if (this.scheduler.events > eventsMax || this.scheduler.nowMs > LONGEST_MS) {
        if (this.scheduler.nowMs > LONGEST_MS) requireAll(this);
        throw new Violation('comes_to_an_end', `still busy after ${this.scheduler.events} events`);
      }
    }
    requireAll(this);
  }

  // What everyone uses.

  newId<Prefix extends IdPrefix>(prefix: Prefix): Id<Prefix> {
    const number = (this.ids.get(prefix) ?? 0) + 1;
    this.ids.set(prefix, number);
    return `${prefix}_${number.toString().padStart(26, '0')}`;
  }

  dateOf(simulatedMs: number): Date {
    return new Date(EPOCH_MS + Math.round(simulatedMs));
  }

  msOf(date: Date): number {
    return date.getTime() - EPOCH_MS;
  }

  currencyOf(code: string): Currency {
    const currency = currencyOf(code);
    if (currency === undefined) throw new Error(`invariant: ${code} is no currency`);
    return currency;
  }

  feeTermsOf(merchantId: string): FeeTerms {
    return FEE_TERMS[hashOfText(merchantId) % FEE_TERMS.length]!;
  }

  /** Routing: which acquirer first depends on the payment. */
  routeOf(paymentId: string): readonly string[] {
    const names = [...this.acquirers.keys()];
    const first = hashOfText(paymentId) % names.length;
    return [...names.slice(first), ...names.slice(0, first)];
  }

  anyUp(processes: readonly Process[]): Process | undefined {
    const up = processes.filter(({ isUp }) => isUp);
    return up.length === 0 ? undefined : this.random.pick(up);
  }

  callPayment(label: string, request: Command | Webhook, timeoutMs: number): Reply<Called<Answer>> {
    const process = this.random.pick(this.payment.processes);
    const server = servedBy<Command | Webhook, Answer>(process, `${process.name} serves`, (received, reply) =>
      this.payment.serve(process, received, reply),
    );
    return this.network.call(label, () => process.isUp, server, request, timeoutMs);
  }

  callLedger(request: PostRequest, timeoutMs: number): Reply<Called<PostAnswer>> {
    const process = this.random.pick(this.ledger.consumer.processes);
    const server = servedBy<PostRequest, PostAnswer>(process, `${process.name} serves`, (received, reply) =>
      this.ledger.serve(process, received, reply),
    );
    return this.network.call('service posts', () => process.isUp, server, request, timeoutMs);
  }

  askOwner(aggregateId: string, after: number, timeoutMs: number): Reply<Called<readonly Envelope[]>> {
    const process = this.random.pick(this.payment.processes);
    return this.network.call<number, readonly Envelope[]>(
      'owner is asked',
      () => process.isUp,
      (sequence, reply) => {
        reply(this.payment.eventsAfter(aggregateId, sequence).map(({ envelope }) => envelope));
      },
      after,
      timeoutMs,
    );
  }

  /** For a Kafka whose data was erased. */
  republish(): void {
    if (!this.seams.rules.republishesAll) return;
    this.payment.tables.unpublish();
    this.payment.database.signal('outbox');
  }

  crashed(process: Process): void {
    if (this.ledger.consumer.processes.includes(process)) this.ledger.consumer.memberCrashed();
    else if (this.feed.processes.includes(process)) this.feed.memberCrashed();
    else
      this.scheduler.after(1_000, 'session lock is free', () => {
        this.payment.database.signal('session');
      });
  }

  // What must hold at every moment.

  observePayment(before: Payment, after: Payment, events: readonly PaymentEvent[]): void {
    requireSoundPayment(this, before, after, events);
  }

  observeRecovery(row: AttemptRow): void {
    requireShown(this, row);
  }

  observeTransaction(transaction: JournalTransaction): void {
    requireSoundTransaction(transaction);
  }

  /** A message comes that was held back: who waited for it has asked its owner in the meantime. */
  observeHeldBack(envelope: Envelope): void {
    requireNotWaitedFor(this, envelope);
  }

  /** Every event that was committed. */
  knownEventIds(): ReadonlySet<string> {
    return new Set([...this.payment.tables.outbox.values()].map(({ envelope }) => envelope.eventId));
  }

  private processes(): readonly Process[] {
    return [...this.payment.processes, ...this.ledger.consumer.processes, ...this.feed.processes];
  }

  private strikeDatabase(database: Database): void {
    const { faults, scheduler } = this;
    if (faults.strikes('database_restart'))
      scheduler.after(faults.detail('database_restart').between(0, 5), `${database.name} restarts`, () => {
        database.restart();
      });
    if (faults.strikes('database_clock_jump')) {
      database.clockOffsetMs = faults.detail('database_clock_jump').between(...CLOCK_JUMP_MS);
      if (database === this.payment.database) this.payment.clockJumped();
      else if (database === this.ledger.database) this.ledger.consumer.clockJumped();
      else this.feed.clockJumped();
    }
  }

  private healWhenDone(): void {
    if (this.healing || this.clients.open > 0) return;
    this.healing = true;
    this.scheduler.after(HEAL_AFTER_MS, 'faults end', () => {
      this.faults.heal();
    });
  }
}

const FEE_TERMS: readonly FeeTerms[] = [
  { basisPoints: 290, fixedMinor: 30n },
  { basisPoints: 0, fixedMinor: 25n },
  { basisPoints: 175, fixedMinor: 0n },
];

/** A request of a story that is left out takes nothing else with it; without its story it is not made. */
const wanted = (stories: readonly Story[], only: ReadonlySet<string> | undefined): readonly Story[] => {
  if (only === undefined) return stories;
  return stories
    .filter(({ id }) => only.has(id))
    .map((story) =>
      story.kind === 'transfer' ? story : { ...story, followUps: story.followUps.filter(({ id }) => only.has(id)) },
    );
};

/** The names of all stories and requests of a plan, for leaving some out. */
export const storyNames = ({ seed, stories }: Plan): readonly string[] =>
  storiesOf(new Random(seed), stories).flatMap((story) =>
    story.kind === 'transfer' ? [story.id] : [story.id, ...story.followUps.map(({ id }) => id)],
  );
