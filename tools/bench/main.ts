import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Command, InvalidArgumentError, Option } from 'commander';
import pc from 'picocolors';

import { Failure } from '../servers/failure.ts';
import { REPOSITORY } from '../stack/paths.ts';
import { machineOf } from './machine.ts';
import { type Measured, refreshed, tableOf } from './report.ts';
import { measure } from './run.ts';
import type { Section } from './section.ts';
import { SECTIONS } from './sections.ts';
import { onStack } from './stack.ts';

const PAGE = join(REPOSITORY, 'docs', 'performance.md');
const SECONDS = 10;
const WARM_UP_SECONDS = 3;

interface Options {
  readonly section: readonly Section[];
  readonly seconds: number;
  readonly json: boolean;
  readonly write: boolean;
}

/** `npm run bench` */
export const main = async (args: readonly string[]): Promise<void> => {
  const command = new Command('npm run bench')
    .usage('[-- options]')
    .description(
      'How fast PayFlow is on this machine, each figure beside what the same Postgres does in the same run. Afterwards the books\n' +
        'are checked: what was fast and wrong ends with an error. Nothing else should run meanwhile.',
    )
    .addOption(
      new Option('--section <names>', `which, separated by commas: ${SECTIONS.map(({ name }) => name).join(', ')}`)
        .argParser(sectionsOf)
        .default(SECTIONS, 'all'),
    )
    .option('--seconds <n>', 'how long each row is measured', secondsOf, SECONDS)
    .option('--json', 'print the figures for scripts, progress on standard error', false)
    .option('--write', 'refresh the tables in docs/performance.md', false)
    .addHelpText(
      'after',
      `
Sections:
${SECTIONS.map(({ name, about }) => `  ${name.padEnd(14)} ${about}`).join('\n')}

It starts a stack of its own on free ports, in .payflow/bench, and deletes it; PAYFLOW_HOME names one that runs already.

Examples:
  npm run bench
  npm run bench -- --section ledger --seconds 30
  npm run bench -- --json > figures.json
  PAYFLOW_HOME=.payflow npm run bench -- --section ledger
`,
    )
    .parse([...args], { from: 'user' });
  const options = command.opts<Options>();
  const progress = (line: string): void => {
    process.stderr.write(`${pc.dim('·')} ${line}\n`);
  };
  await onStack(process.env, progress, async (stack) => {
    const machine = await machineOf(stack.postgres);
    progress(machine);
    const sizes = { seconds: options.seconds, warmUpSeconds: WARM_UP_SECONDS, scale: 1 };
    const measured = await measure(options.section, stack, sizes, progress);
    process.stdout.write(options.json ? jsonOf(measured, machine) : textOf(measured, machine));
    failOnViolations(measured);
    if (options.write) writePage(measured, machine);
  });
};

const sectionsOf = (names: string): readonly Section[] =>
  names.split(',').map((name) => {
    const section = SECTIONS.find((known) => known.name === name.trim());
    if (section !== undefined) return section;
    throw new InvalidArgumentError(
      `There is no section ${name}. There are ${SECTIONS.map((known) => known.name).join(', ')}.`,
    );
  });

const secondsOf = (text: string): number => {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds > 0) return seconds;
  throw new InvalidArgumentError('It is a whole number of seconds, at least 1.');
};

const textOf = (measured: readonly Measured[], machine: string): string =>
  `${measured.map(({ section, result }) => `\n${pc.bold(section.title)}\n\n${tableOf(result.rows)}\n`).join('')}\n${machine}\n`;

const jsonOf = (measured: readonly Measured[], machine: string): string => {
  const sections = Object.fromEntries(measured.map(({ section, result }) => [section.name, result]));
  return `${JSON.stringify({ machine, sections }, undefined, 2)}\n`;
};

const failOnViolations = (measured: readonly Measured[]): void => {
  const violations = measured.flatMap(({ result }) => result.violations);
  if (violations.length > 0) throw new Failure(`What was measured was wrong:\n${violations.join('\n')}`);
};

const writePage = (measured: readonly Measured[], machine: string): void => {
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '# Performance\n';
  const day = new Date().toISOString().slice(0, 10);
  writeFileSync(PAGE, refreshed(page, measured, machine, day));
  process.stderr.write(`Wrote ${PAGE}\n`);
};
