import { randomInt } from 'node:crypto';

import { Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';

import { Drill, type DrillOptions } from './drill.ts';
import { summaryOf } from './report.ts';

const SEED_MAX = 2 ** 31;
/** As a shell tells of Ctrl-C. */
const INTERRUPTED = 130;

/** `npm run drill`: the whole product on real processes, under load, while everything it rests on fails. */
export const main = async (args: readonly string[]): Promise<void> => {
  const program = new Command('npm run drill --')
    .description(
      'Faults under load: real processes are killed, paused and cut off, and afterwards everything that clients were told\n' +
        'is compared with the databases and with the acquirer’s book. In a stack of its own; all that is started is ended.',
    )
    .option('--seed <number>', 'of the schedule and of the load; the report names it', wholeNumber)
    .option('--minutes <number>', 'how long faults are injected', positiveNumber, 5)
    .option('--faults <names>', 'only these, separated by commas; a part of a name is enough')
    .option('--only-crash-points', 'only the named crash points, each once, however long it takes', false)
    .option('--no-crash-points', 'only faults from outside')
    .option('--report <file>', 'where the report is written (beside the logs)')
    .addHelpText(
      'after',
      `
Examples:
  npm run drill                                         five minutes of everything
  npm run drill -- --minutes 20 --report drill.md
  npm run drill -- --seed 4711 --minutes 20             the same schedule as another run
  npm run drill -- --faults killed:payment,postgres     these alone
  npm run drill -- --only-crash-points

What it does and how to read its report: docs/fault-drill.md
`,
    )
    .parse([...args], { from: 'user' });
  hushKafkajs();
  const options = program.opts<Omit<DrillOptions, 'seed'> & { readonly seed?: number }>();
  const result = await new Drill({ ...options, seed: options.seed ?? randomInt(SEED_MAX) }, say).run();
  // The rounds that were interrupted still wait for processes that are gone.
  if (result === undefined) process.exit(INTERRUPTED);
  const summary = summaryOf(result);
  say(
    `${summary.passed ? pc.green('The drill passed') : pc.red('The drill FAILED')}: ${summary.lost} lost, ` +
      `${summary.doubled} doubled, ${summary.unasked} unasked, ${summary.apart} apart`,
  );
  if (!summary.passed) process.exitCode = 1;
};

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** kafkajs 2.2.4 asks for a negative delay whenever nothing throttles it, and Node says so each time. */
const hushKafkajs = (): void => {
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => {
    if (name !== 'TimeoutNegativeWarning') process.stderr.write(`${name}: ${message}\n`);
  });
};

const wholeNumber = (text: string): number => {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('It is a whole number.');
  return Number(text);
};

const positiveNumber = (text: string): number => {
  const number = Number(text);
  if (!(number > 0)) throw new InvalidArgumentError('It is a number above 0.');
  return number;
};
