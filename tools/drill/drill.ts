import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import pc from 'picocolors';

import { Failure } from '../servers/failure.ts';
import { run } from '../servers/run.ts';
import { DIRECT } from '../stack/links.ts';
import { REPOSITORY } from '../stack/paths.ts';
import { createRun, endRun, stackOf } from '../test/runs.ts';
import { Databases } from './databases.ts';
import { DrillStack } from './drill-stack.ts';
import type { Fault } from './faults/fault.ts';
import { PROCESS_FAULTS } from './faults/processes.ts';
import { Journal } from './journal.ts';
import { Load } from './load.ts';
import { type Merchant, Platform } from './platform.ts';
import { Random } from './random.ts';
import { type CrashTry, type DrillResult, reportOf } from './report.ts';
import { passed, type RoundResult, Rounds } from './rounds.ts';
import { roundsFrom } from './schedule.ts';

export interface DrillOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly faults?: string;
  readonly onlyCrashPoints: boolean;
  readonly crashPoints: boolean;
  readonly report?: string;
}

const CLIENTS = 6;
const MERCHANTS = 3;
/** Of the drill: no single fault takes up more. */
const SHARE_OF_ONE_FAULT = 0.15;
/** Orders without an answer are asked again sooner than in production, so that a round has an end. */
const ENVIRONMENT = { RECOVERY_DELAYS_SECONDS: '1,2,3,5' };

/** One drill from its first process to its report. */
export class Drill {
  readonly faults: readonly Fault[];
  private readonly options: DrillOptions;
  private readonly say: (line: string) => void;
  private readonly skipped: string[] = [];
  private readonly crashes: CrashTry[] = [];
  private readonly results: RoundResult[] = [];
  private stack: DrillStack | undefined;
  private interrupted = false;

  constructor(options: DrillOptions, say: (line: string) => void) {
    this.options = options;
    this.say = say;
    this.faults = chosenFrom(PROCESS_FAULTS, options.faults);
  }

  /** @returns undefined when it was interrupted */
  async run(): Promise<DrillResult | undefined> {
    const { seed, minutes } = this.options;
    const output = join(
      REPOSITORY,
      '.payflow',
      'drills',
      `${new Date().toISOString().replaceAll(/[:.]/g, '-')}-${seed}`,
    );
    mkdirSync(output, { recursive: true });
    Object.assign(process.env, ENVIRONMENT);
    this.say(`Fault drill, seed ${pc.bold(String(seed))}, ${minutes} minutes; its log: ${join(output, 'drill.log')}`);
    const home = await createRun();
    const paths = stackOf(home);
    const onSignal = (): void => {
      if (this.interrupted) {
        this.stack?.killAll();
        process.exit(1);
      }
      this.interrupted = true;
      this.say('Stopping: what was started is ended first (Ctrl-C again: at once)');
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
    try {
      this.stack = new DrillStack(paths, DIRECT, join(output, 'drill.log'));
      this.say('Starting a stack for it');
      if (!(await this.stack.start())) return undefined;
      const result = await this.drill(this.stack, output);
      if (this.interrupted) return undefined;
      const file = this.options.report ?? join(output, 'report.md');
      writeFileSync(file, reportOf(result));
      this.say(`The report: ${file}`);
      return result;
    } finally {
      await this.stack?.stop();
      cpSync(paths.logs, join(output, 'logs'), { recursive: true });
      await endRun(home);
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, onSignal);
    }
  }

  private async drill(stack: DrillStack, output: string): Promise<DrillResult> {
    const { seed, minutes } = this.options;
    const platform = new Platform(stack.paths);
    const databases = new Databases(() => platform.demo().postgres);
    const merchants: Merchant[] = [];
    for (let index = 1; index <= MERCHANTS; index += 1) merchants.push(await platform.newMerchant(`Drill ${index}`));
    const journal = new Journal(join(output, 'journal.jsonl'));
    const load = new Load(platform, journal, merchants);
    const rounds = new Rounds(
      { stack, databases, platform },
      load,
      merchants.map(({ merchantId }) => merchantId),
    );
    const random = new Random(seed);
    load.start(CLIENTS, random.fork());
    const endSeconds = minutes * 60;
    try {
      for (const round of roundsFrom(
        random.int(0, 2 ** 32 - 1),
        this.faults,
        endSeconds * 1_000 * SHARE_OF_ONE_FAULT,
      )) {
        if (this.interrupted || rounds.seconds() > endSeconds) break;
        this.say(`${this.clock(rounds)} ${round.map(({ fault }) => fault.name).join(' + ')}`);
        this.tell(rounds, await rounds.run(round), load);
      }
    } finally {
      await load.stop();
    }
    return {
      seed,
      command: this.command(),
      commit: await commitOf(),
      seconds: rounds.seconds(),
      operations: countsOf(load),
      requests: journal.lines,
      silences: journal.silences,
      byStatus: journal.byStatus(),
      rounds: this.results,
      crashes: this.crashes,
      pointsNeverMet: [],
      staleReads: load.staleReads,
      skipped: this.skipped,
      deadLetters: [],
      audit: { ran: false, text: 'Not run.', passed: true },
      logs: output,
    };
  }

  private tell(rounds: Rounds, result: RoundResult, load: Load): void {
    this.results.push(result);
    const mark = passed(result) ? pc.green('✓') : pc.red('✗');
    const { seconds, left } = result.convergence;
    const how = left.length === 0 ? `converged after ${seconds.toFixed(1)} s` : `did not converge: ${left.join('; ')}`;
    this.say(`${this.clock(rounds)} ${mark} ${how}; ${load.operations.length} operations so far`);
    for (const [kind, found] of Object.entries(result.findings as unknown as Record<string, readonly string[]>))
      for (const text of found.slice(0, 5)) this.say(pc.red(`  ${kind}: ${text.slice(0, 500)}`));
    for (const { name, failure } of result.faults) if (failure !== undefined) this.say(pc.red(`  ${name}: ${failure}`));
  }

  private clock(rounds: Rounds): string {
    return pc.dim(`${rounds.seconds().toFixed(0).padStart(5)} s`);
  }

  private command(): string {
    const { seed, minutes, faults, onlyCrashPoints, crashPoints } = this.options;
    const words = [`--seed ${seed}`, `--minutes ${minutes}`];
    if (faults !== undefined) words.push(`--faults ${faults}`);
    if (onlyCrashPoints) words.push('--only-crash-points');
    if (!crashPoints) words.push('--no-crash-points');
    return `npm run drill -- ${words.join(' ')}`;
  }
}

const chosenFrom = (faults: readonly Fault[], wanted: string | undefined): readonly Fault[] => {
  if (wanted === undefined) return faults;
  const parts = wanted.split(',').map((part) => part.trim());
  const unknown = parts.filter((part) => !faults.some(({ name }) => name.includes(part)));
  if (unknown.length > 0)
    throw new Failure(`There is no fault ${unknown.join(', ')}; \`npm run drill -- --list\` shows them.`);
  return faults.filter(({ name }) => parts.some((part) => name.includes(part)));
};

const countsOf = ({ operations }: Load): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const { kind } of operations) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
};

const commitOf = async (): Promise<string> => {
  const { status, output } = await run('git', ['rev-parse', '--short', 'HEAD'], { directory: REPOSITORY });
  return status === 0 ? output.trim() : 'unknown';
};
