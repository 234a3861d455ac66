import { Command, InvalidArgumentError } from 'commander';
import colors from 'picocolors';

import { printable, printableJson } from '../cli/printable.ts';
import { stackPaths } from '../stack/paths.ts';
import { INVARIANTS } from './invariants.ts';
import type { Invariant } from './invariant.ts';
import { linesOf, type Verdict } from './report.ts';
import { verdictOn } from './run.ts';
import { connect, disconnect } from './sources.ts';

const GRACE_SECONDS = 10;
/** Long work says something this often, on the error output. */
const PROGRESS_MS = 5_000;
const MS_PER_SECOND = 1_000;

interface Options {
  readonly invariant?: readonly Invariant[];
  readonly journal?: string;
  readonly graceSeconds: number;
  readonly json: boolean;
}

const invariantsOf = (text: string): readonly Invariant[] =>
  text.split(',').map((number) => {
    const invariant = INVARIANTS.find((one) => String(one.number) === number.trim());
    if (invariant === undefined)
      throw new InvalidArgumentError(`Checked are ${INVARIANTS.map((one) => one.number).join(', ')}.`);
    return invariant;
  });

const secondsOf = (text: string): number => {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0) throw new InvalidArgumentError('A number of seconds, 0 or more.');
  return seconds;
};

const optionsOf = (args: readonly string[]): Options =>
  new Command('npm run audit --')
    .description(
      'Whether the invariants hold, over all databases, the broker and the acquirers’ books, while the system runs.\n' +
        'It only reads. The exit code is 1 when one does not hold. What each means: docs/audit.md',
    )
    .option('-i, --invariant <numbers>', 'only these, separated by commas', invariantsOf)
    .option('-j, --journal <file>', 'what a client was answered, one JSON object a line: invariant 5 compares it too')
    .option('-g, --grace-seconds <seconds>', 'how long traffic may make something look wrong', secondsOf, GRACE_SECONDS)
    .option('--json', 'for scripts', false)
    .addHelpText(
      'after',
      `
Invariants:
${INVARIANTS.map(({ number, title, why }) => `  ${String(number).padStart(2)}  ${title}. ${why}`).join('\n')}

Examples:
  npm run audit
  npm run audit -- --invariant 2,10
  npm run audit -- --json --grace-seconds 30
  npm run audit -- --journal drill/journal.jsonl
  PAYFLOW_HOME=/srv/payflow npm run audit      another installation than .payflow
`,
    )
    .parse([...args], { from: 'user' })
    .opts<Options>();

/** `npm run audit`. */
const main = async (args: readonly string[]): Promise<void> => {
  const options = optionsOf(args);
  const paths = stackPaths(process.env);
  const connections = connect(paths, process.env);
  const say = (line: string): void => {
    if (!options.json) process.stdout.write(`${line}\n`);
  };
  say(`Audit of ${paths.home}`);
  const verdicts: Verdict[] = [];
  try {
    for (const invariant of options.invariant ?? INVARIANTS) {
      const verdict = await verdictOn(invariant, connections, {
        graceMs: options.graceSeconds * MS_PER_SECOND,
        clientJournal: options.journal,
        progress: progressWriter(),
      });
      verdicts.push(verdict);
      linesOf(verdict).forEach(say);
    }
  } finally {
    await disconnect(connections);
  }
  const broken = verdicts.filter(({ holds }) => !holds).map(({ number }) => number);
  if (broken.length > 0) process.exitCode = 1;
  if (options.json) {
    const result = { home: paths.home, holds: broken.length === 0, verdicts };
    process.stdout.write(`${printableJson(result, 2)}\n`);
  }
  say(
    broken.length === 0
      ? colors.green(`All ${verdicts.length} invariants hold.`)
      : colors.red(`Broken: ${broken.join(', ')}. How to read a finding: docs/audit.md`),
  );
};

const progressWriter = (): ((sentence: string) => void) => {
  let last = performance.now();
  return (sentence) => {
    if (performance.now() - last < PROGRESS_MS) return;
    last = performance.now();
    process.stderr.write(`${colors.dim(`  … ${printable(sentence)}`)}\n`);
  };
};

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Error) || error.name !== 'Failure') throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
