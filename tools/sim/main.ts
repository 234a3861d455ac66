import { Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';

import { type Bug, bugNamed, BUGS } from './bugs.ts';
import { hunt, type Run, runOnce, smallestPlan } from './hunt.ts';
import { INVARIANT_NAMES } from './invariants.ts';
import { commandOf } from './shrink.ts';
import { type Plan, storyNames } from './world.ts';

const EVENTS_DEFAULT = 1_000_000;
const STORIES_DEFAULT = 30;
const HUNT_SEEDS_MAX = 200;
const PROGRESS_EVERY_MS = 2_000;

interface Options {
  readonly seed?: number;
  readonly salt?: number;
  readonly seeds?: number;
  readonly events?: number;
  readonly stories: number;
  readonly bug?: string;
  readonly bugs: boolean;
  readonly only?: ReadonlySet<string>;
  readonly faults?: ReadonlySet<string>;
  readonly trace: boolean;
}

const EXAMPLES = `
Examples:
  npm run sim                             at least a million events without a bug, then every planted bug
  npm run sim -- --seeds 20000            that many seeds without a bug
  npm run sim -- --events 50000000        as many seeds as make that many events
  npm run sim -- --seed 7 --trace         one seed, each event and each fault on a line
  npm run sim -- --bugs                   every planted bug must be found
  npm run sim -- --bug marks-before-ack   one planted bug: found, shrunk, with the command that repeats it

An event is a message delivered, a step of a process executed, or a timer that fired.

Planted bugs:
${BUGS.map(({ name, mistake }) => `  ${name.padEnd(34)}${mistake}`).join('\n')}
`;

const wholeNumber = (text: string): number => {
  if (!/^\d{1,12}$/.test(text)) throw new InvalidArgumentError('It is no whole number.');
  return Number(text);
};
const nameList = (text: string): ReadonlySet<string> => new Set(text === 'none' ? [] : text.split(','));

const say = (line: string): void => {
  console.log(line);
};

/** Says how far it is, on one line that is written over; where nobody watches, only now and then. */
class Progress {
  private saidAtMs = performance.now();

  tell(line: string): void {
    const now = performance.now();
    if (now - this.saidAtMs < PROGRESS_EVERY_MS) return;
    this.saidAtMs = now;
    if (process.stdout.isTTY) process.stdout.write(`\r\u001b[2K  ${line}`);
    else say(`  ${line}`);
  }

  end(): void {
    if (process.stdout.isTTY) process.stdout.write('\r\u001b[2K');
  }
}

const thousands = (number: number): string => number.toLocaleString('en-US');

/** The first failure ends it. */
const explain = (run: Run, bug: Bug | undefined): void => {
  const { failure, plan } = run;
  if (failure === undefined) return;
  say(`${pc.red('✗')} seed ${plan.seed} after ${thousands(run.events)} events: ${failure.detail}`);
  const meaning = (INVARIANT_NAMES as Readonly<Record<string, string>>)[failure.invariant];
  if (meaning !== undefined) say(`  that breaks ${meaning}`);
  say('  shrinking …');
  const smallest = smallestPlan(run, bug);
  const again = runOnce(smallest, bug);
  say(
    `  ${smallest.onlyStories?.size ?? 0} requests and ${smallest.onlyFaults?.size ?? 0} faults are left of ` +
      `${thousands(storyNames(plan).length)} requests and ${run.faults} faults: ${again.failure?.detail ?? 'not repeated'}`,
  );
  say(`  repeat it with\n    ${commandOf(smallest, bug?.name)} --trace`);
};

const runSeeds = (options: Options, isEnough: (seeds: number, events: number) => boolean): boolean => {
  const progress = new Progress();
  const begunMs = performance.now();
  let events = 0;
  let faults = 0;
  let seed = 0;
  while (!isEnough(seed, events)) {
    seed += 1;
    const run = runOnce({ seed, stories: options.stories });
    events += run.events;
    faults += run.faults;
    progress.tell(`${thousands(seed)} seeds, ${thousands(events)} events, ${thousands(faults)} faults, nothing broken`);
    if (run.failure === undefined) continue;
    progress.end();
    explain(run, undefined);
    return false;
  }
  progress.end();
  const perSecond = (events / (performance.now() - begunMs)) * 1_000;
  say(
    `${pc.green('✓')} ${thousands(seed)} seeds, ${thousands(events)} events (${thousands(Math.round(perSecond))}/s), ` +
      `${thousands(faults)} faults: every invariant held`,
  );
  return true;
};

const huntAll = ({ stories }: Options): boolean => {
  const progress = new Progress();
  let found = 0;
  let events = 0;
  for (const bug of BUGS) {
    progress.tell(`${found} of ${BUGS.length} planted bugs found; now ${bug.name}`);
    const hunted = hunt(bug, { stories, seedsMax: HUNT_SEEDS_MAX });
    events += hunted.events;
    const { found: run } = hunted;
    progress.end();
    if (run?.failure === undefined) {
      say(`${pc.red('✗')} ${bug.name.padEnd(34)} not found in ${hunted.seeds} seeds: ${bug.mistake}`);
      continue;
    }
    found += 1;
    say(`${pc.green('✓')} ${bug.name.padEnd(34)} seed ${String(hunted.seeds).padEnd(4)} ${run.failure.invariant}`);
  }
  const mark = found === BUGS.length ? pc.green('✓') : pc.red('✗');
  say(`${mark} ${found} of ${BUGS.length} planted bugs found, in ${thousands(events)} events`);
  return found === BUGS.length;
};

const huntOne = (bug: Bug, { stories }: Options): boolean => {
  say(`${bug.name}: ${bug.mistake}`);
  const { found, seeds } = hunt(bug, { stories, seedsMax: HUNT_SEEDS_MAX });
  if (found === undefined) say(`${pc.red('✗')} not found in ${seeds} seeds`);
  else explain(found, bug);
  return found !== undefined;
};

const runPlan = (options: Options, seed: number, bug: Bug | undefined): boolean => {
  const { salt, stories, only: onlyStories, faults: onlyFaults } = options;
  const plan: Plan = { seed, salt, stories, onlyStories, onlyFaults };
  const run = runOnce(plan, bug, options.trace ? say : undefined);
  if (run.failure === undefined) {
    say(
      `${pc.green('✓')} seed ${seed}: ${thousands(run.events)} events, ${run.faults} faults, trace ${run.traceHash.toString(16)}`,
    );
    return true;
  }
  if (options.only === undefined && options.faults === undefined) explain(run, bug);
  else say(`${pc.red('✗')} seed ${seed} after ${thousands(run.events)} events: ${run.failure.detail}`);
  return false;
};

const main = (args: readonly string[]): boolean => {
  const program = new Command('npm run sim --')
    .description(
      'Payments, saga, ledger, order of events, relay and idempotency in one thread, from a seed, under faults.',
    )
    .option('--seed <n>', 'one run with this seed', wholeNumber)
    .option('--salt <n>', 'with that seed, another order of events', wholeNumber)
    .option('--seeds <n>', 'seeds 1 to n', wholeNumber)
    .option('--events <n>', 'as many seeds as make this many events', wholeNumber)
    .option('--stories <n>', 'payments and transfers that clients begin in a run', wholeNumber, STORIES_DEFAULT)
    .option('--bug <name>', 'with this bug planted')
    .option('--bugs', 'plant every bug, one after the other', false)
    .option('--only <names>', 'of the run’s requests only these', nameList)
    .option('--faults <names>', 'of the run’s faults only these, or none', nameList)
    .option('--trace', 'print each event and fault', false)
    .addHelpText('after', EXAMPLES)
    .parse([...args], { from: 'user' });
  const options = program.opts<Options>();
  const bug = options.bug === undefined ? undefined : bugNamed(options.bug);
  if (options.bug !== undefined && bug === undefined)
    return program.error(`There is no planted bug ${options.bug}. --help lists them.`);
  if (options.seed !== undefined) return runPlan(options, options.seed, bug);
  if (bug !== undefined) return huntOne(bug, options);
  if (options.bugs) return huntAll(options);
  const { seeds, events } = options;
  if (seeds !== undefined) return runSeeds(options, (done) => done >= seeds);
  if (events !== undefined) return runSeeds(options, (_, done) => done >= events);
  return runSeeds(options, (_, done) => done >= EVENTS_DEFAULT) && huntAll(options);
};

process.exitCode = main(process.argv.slice(2)) ? 0 : 1;
