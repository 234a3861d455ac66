import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import pc from 'picocolors';

import { Failure } from '../servers/failure.ts';
import { run } from '../servers/run.ts';
import { DIRECT, type Links } from '../stack/links.ts';
import { REPOSITORY, type StackPaths } from '../stack/paths.ts';
import { createRun, endRun, stackOf } from '../test/runs.ts';
import { audit } from './audit.ts';
import { Clients } from './clients.ts';
import { CrashPoints } from './crash-points.ts';
import { Databases } from './databases.ts';
import { wrongDeadLetters } from './dead-letters.ts';
import { DrillStack } from './drill-stack.ts';
import { ACQUIRER_FAULTS, acquirerIsControllable } from './faults/acquirer.ts';
import type { Fault } from './faults/fault.ts';
import { LINK_FAULT_NAMES, linkFaults } from './faults/links.ts';
import { MESSAGE_FAULTS } from './faults/messages.ts';
import { PROCESS_FAULTS } from './faults/processes.ts';
import { Journal } from './journal.ts';
import { Load } from './load.ts';
import { type Merchant, Platform } from './platform.ts';
import { proxiedLinks } from './proxied-links.ts';
import { Random } from './random.ts';
import { type DrillResult, reportOf } from './report.ts';
import { Requests } from './requests.ts';
import { passed, type RoundResult, Rounds, type Traffic } from './rounds.ts';
import { roundsFrom } from './schedule.ts';
import { Toxiproxy } from './toxiproxy.ts';
import { linesOf } from './verdict.ts';
import { WalletLoad } from './wallet-load.ts';
import type { World } from './world.ts';

export interface DrillOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly faults?: string;
  readonly onlyCrashPoints: boolean;
  readonly crashPoints: boolean;
  readonly report?: string;
}

const CLIENTS = 6;
const WALLET_CLIENTS = 3;
const MERCHANTS = 3;
/** Of the drill: no single fault takes up more. */
const SHARE_OF_ONE_FAULT = 0.15;
/** Of the drill; the rest is for faults from outside. */
const SHARE_OF_CRASH_POINTS = 0.5;
const SEED_MAX = 2 ** 32 - 1;
const LINES_SHOWN_MAX = 8;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** An acquirer that is silent is given up and asked again sooner than in production, as a bank is, so that a round has an end. */
const DELAYS_SECONDS = '1,2,3,4,5,5,5,5,5,5';
const ENVIRONMENT = {
  RECOVERY_DELAYS_SECONDS: DELAYS_SECONDS,
  WALLET_INQUIRY_DELAYS_SECONDS: DELAYS_SECONDS,
  ACQUIRER_TIMEOUT_MS: '4000',
};

/** One drill from its first process to its report. */
export class Drill {
  private readonly options: DrillOptions;
  private readonly say: (line: string) => void;
  private readonly skipped: string[] = [];
  private readonly results: RoundResult[] = [];
  private stack: DrillStack | undefined;
  private proxies: Toxiproxy | undefined;
  private interrupted = false;
  private readonly interruption: Promise<undefined>;
  private interrupt: () => void = () => undefined;

  constructor(options: DrillOptions, say: (line: string) => void) {
    this.options = options;
    this.say = say;
    this.interruption = new Promise((resolve) => {
      this.interrupt = () => {
        resolve(undefined);
      };
    });
  }

  /** @returns undefined when it was interrupted */
  async run(): Promise<DrillResult | undefined> {
    const { seed, minutes } = this.options;
    requireKnown(this.options.faults);
    const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-');
    const output = join(REPOSITORY, '.payflow', 'drills', `${stamp}-${seed}`);
    mkdirSync(output, { recursive: true });
    Object.assign(process.env, ENVIRONMENT);
    this.say(`Fault drill, seed ${pc.bold(String(seed))}, ${minutes} minutes; logs in ${output}`);
    const home = await createRun();
    const stopListening = this.listenForSignals();
    try {
      const drilling = this.underFire(stackOf(home), output);
      // What is under way when a stop is asked for fails in many ways, and nobody wants to know.
      drilling.catch(() => undefined);
      const result = await Promise.race([drilling, this.interruption]);
      if (result === undefined) return undefined;
      const file = this.options.report ?? join(output, 'report.md');
      writeFileSync(file, reportOf(result));
      this.say(`The report: ${file}`);
      return result;
    } finally {
      await this.stack?.stop();
      await this.proxies?.stop();
      if (existsSync(stackOf(home).logs)) cpSync(stackOf(home).logs, join(output, 'logs'), { recursive: true });
      await endRun(home);
      stopListening();
    }
  }

  private listenForSignals(): () => void {
    const onSignal = (): void => {
      if (this.interrupted) {
        this.stack?.killAll();
        process.exit(1);
      }
      this.interrupted = true;
      this.interrupt();
      this.say('Stopping: what was started is ended first (Ctrl-C again: at once)');
    };
    for (const signal of SIGNALS) process.on(signal, onSignal);
    return () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    };
  }

  private async underFire(paths: StackPaths, output: string): Promise<DrillResult | undefined> {
    const links = await this.links(output);
    this.stack = new DrillStack(paths, links, join(output, 'drill.log'));
    this.say('Starting a stack of its own');
    if (!(await this.stack.start())) return undefined;
    const platform = new Platform(paths);
    const databases = new Databases(() => platform.demo().postgres);
    const world: World = { stack: this.stack, databases, platform, poison: [] };
    const faults = (await this.faults(world)).filter(({ name }) => isWanted(name, this.options.faults));
    const merchants: Merchant[] = [];
    for (let index = 1; index <= MERCHANTS; index += 1) merchants.push(await platform.newMerchant(`Drill ${index}`));
    const journal = new Journal(join(output, 'journal.jsonl'));
    const requests = new Requests(journal);
    const clients = new Clients();
    const payments = new Load(platform, requests, merchants, clients);
    // Whom wallets pay is judged by the wallets' own transactions: an acquirer's book has nothing of it.
    const wallets = await WalletLoad.ofNewPeople(platform, requests, await platform.newMerchant('Drill wallets'));
    const traffic: Traffic = { clients, payments, wallets };
    const merchantIds = merchants.map(({ merchantId }) => merchantId);
    const rounds = new Rounds(world, traffic, merchantIds);
    const random = new Random(this.options.seed);
    payments.start(CLIENTS, random.fork());
    const crashPoints = new CrashPoints(world, rounds, random.fork());
    wallets.start(clients, WALLET_CLIENTS, random.fork());
    try {
      if (this.options.crashPoints) await this.dieAtPoints(crashPoints, rounds, traffic);
      if (!this.options.onlyCrashPoints) await this.fireFromOutside(random.int(0, SEED_MAX), faults, rounds, traffic);
    } finally {
      await clients.stop();
    }
    if (this.interrupted) return undefined;
    return {
      seed: this.options.seed,
      command: commandOf(this.options),
      commit: await commitOf(),
      seconds: rounds.seconds(),
      operations: countsOf(payments),
      walletOperations: countsOf(wallets),
      requests: journal.lines,
      silences: journal.silences,
      byStatus: journal.byStatus(),
      rounds: this.results,
      crashes: crashPoints.tries,
      pointsNotTried: this.options.crashPoints ? await crashPoints.notTried() : [],
      pointsNeverMet: this.options.crashPoints ? await crashPoints.neverMet() : [],
      staleReads: payments.staleReads,
      skipped: this.skipped,
      deadLetters: await wrongDeadLetters(world),
      audit: await audit(paths, journal.file),
      logs: output,
    };
  }

  /** With Toxiproxy between the processes, where it can be had. */
  private async links(output: string): Promise<Links> {
    const proxies = await Toxiproxy.start(join(output, 'toxiproxy.log'), this.say);
    if (typeof proxies === 'string') {
      this.leaveOut(`faults of connections. ${proxies}`);
      return DIRECT;
    }
    this.proxies = proxies;
    return await proxiedLinks(proxies);
  }

  private async faults({ stack }: World): Promise<readonly Fault[]> {
    const controllable = await acquirerIsControllable(stack.addressOf('acquirer-sim'));
    if (!controllable) this.leaveOut('faults of acquirers: the simulator takes no orders');
    return [
      ...PROCESS_FAULTS,
      ...MESSAGE_FAULTS,
      ...(this.proxies === undefined ? [] : linkFaults(this.proxies)),
      ...(controllable ? ACQUIRER_FAULTS : []),
    ];
  }

  private leaveOut(reason: string): void {
    this.skipped.push(reason);
    this.say(pc.yellow(`! Left out: ${reason}`));
  }

  private async dieAtPoints(crashPoints: CrashPoints, rounds: Rounds, traffic: Traffic): Promise<void> {
    const { onlyCrashPoints, minutes } = this.options;
    const end = onlyCrashPoints ? Infinity : minutes * 60 * SHARE_OF_CRASH_POINTS;
    await crashPoints.warmUp();
    while (!this.interrupted && rounds.seconds() < end) {
      const result = await crashPoints.next((points) => {
        this.say(`${clock(rounds)} ${points.join(' + ')}`);
      });
      if (result === undefined) return;
      this.tell(rounds, result, traffic);
    }
  }

  private async fireFromOutside(
    seed: number,
    faults: readonly Fault[],
    rounds: Rounds,
    traffic: Traffic,
  ): Promise<void> {
    const endSeconds = this.options.minutes * 60;
    if (faults.length === 0) return;
    for (const round of roundsFrom(seed, faults, endSeconds * 1_000 * SHARE_OF_ONE_FAULT)) {
      if (this.interrupted || rounds.seconds() > endSeconds) return;
      this.say(`${clock(rounds)} ${round.map(({ fault }) => fault.name).join(' + ')}`);
      this.tell(rounds, await rounds.run(round), traffic);
    }
  }

  private tell(rounds: Rounds, result: RoundResult, { payments, wallets }: Traffic): void {
    this.results.push(result);
    const mark = passed(result) ? pc.green('✓') : pc.red('✗');
    const { seconds, left } = result.convergence;
    const how = left.length === 0 ? `converged after ${seconds.toFixed(1)} s` : `did not converge: ${left.join('; ')}`;
    this.say(
      `${clock(rounds)} ${mark} ${how}; ${payments.operations.length} operations and ${wallets.operations.length} of wallets so far`,
    );
    for (const text of linesOf(result.findings).slice(0, LINES_SHOWN_MAX)) this.say(pc.red(`  ${text.slice(0, 500)}`));
    for (const { name, failure } of result.faults) if (failure !== undefined) this.say(pc.red(`  ${name}: ${failure}`));
  }
}

const clock = (rounds: Rounds): string => pc.dim(`${rounds.seconds().toFixed(0).padStart(5)} s`);

const commandOf = ({ seed, minutes, faults, onlyCrashPoints, crashPoints }: DrillOptions): string => {
  const words = [`--seed ${seed}`, `--minutes ${minutes}`];
  if (faults !== undefined) words.push(`--faults ${faults}`);
  if (onlyCrashPoints) words.push('--only-crash-points');
  if (!crashPoints) words.push('--no-crash-points');
  return `npm run drill -- ${words.join(' ')}`;
};

/** Every fault there is, where everything that it takes is there. */
export const FAULT_NAMES: readonly string[] = [
  ...[...PROCESS_FAULTS, ...MESSAGE_FAULTS, ...ACQUIRER_FAULTS].map(({ name }) => name),
  ...LINK_FAULT_NAMES,
];

/** Names, or parts of them, separated by commas. */
const isWanted = (name: string, wanted: string | undefined): boolean =>
  wanted === undefined || wanted.split(',').some((part) => name.includes(part.trim()));

const requireKnown = (wanted: string | undefined): void => {
  const unknown = wanted?.split(',').filter((part) => !FAULT_NAMES.some((name) => name.includes(part.trim()))) ?? [];
  if (unknown.length === 0) return;
  throw new Failure(`There is no fault ${unknown.join(', ')}. There are:\n  ${FAULT_NAMES.join('\n  ')}`);
};

const countsOf = ({ operations }: Traffic['payments' | 'wallets']): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const { kind } of operations) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
};

const commitOf = async (): Promise<string> => {
  const { status, output } = await run('git', ['rev-parse', '--short', 'HEAD'], { directory: REPOSITORY });
  return status === 0 ? output.trim() : 'unknown';
};
