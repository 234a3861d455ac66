import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { Command } from 'commander';
import pc from 'picocolors';

import { runChecks } from '../check/checks.ts';
import { Failure } from '../servers/failure.ts';
import { readJson } from '../servers/files.ts';
import { build } from '../stack/build.ts';
import { REPOSITORY } from '../stack/paths.ts';
import { Progress } from '../stack/progress.ts';
import { createRun, endRun, serversOf } from './runs.ts';
import { startTestServers } from './servers.ts';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Options {
  readonly check: boolean;
  readonly project: string;
}

interface Plan {
  readonly check: boolean;
  readonly projects: readonly string[];
  /** Only test files whose path matches one of them; all when empty. */
  readonly patterns: readonly string[];
}

const PROJECTS = ['unit', 'integration', 'system'] as const;
/**
 * Modules of test files that have run are never given back (Node's `vm` modules): after 150 files a process is at the end of its
 * heap. Beyond this much, the next file gets a new process.
 */
const FRESH_WORKER = '--workerIdleMemoryLimit=1GB';
/** How long Jest may take to end once its last test has. */
const EXIT_GRACE_MS = 30_000;
const ONE_FAILURE: Counts = { passed: 0, failed: 1, skipped: 0 };

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** `npm test`: everything, on a Postgres, a Kafka and a whole stack of its own. The last line is `N passed, N failed`. */
export const main = async (args: readonly string[]): Promise<void> => {
  const program = new Command('npm test --')
    .description('Build, check, and run every test. All that is started is ended.')
    .argument('[patterns...]', 'only test files whose path matches')
    .option('-p, --project <names>', 'only these, separated by commas', PROJECTS.join(','))
    .option('--no-check', 'without format, types and lint')
    .addHelpText(
      'after',
      `
Examples:
  npm test
  npm test -- --project unit
  npm test -- --no-check --project integration libs/messaging
`,
    )
    .parse([...args], { from: 'user' });
  const options = program.opts<Options>();
  const projects = options.project.split(',');
  const unknown = projects.filter((name) => !PROJECTS.some((known) => known === name));
  if (unknown.length > 0)
    throw new Failure(`There is no project ${unknown.join(', ')}; there are ${PROJECTS.join(', ')}.`);

  const run = await createRun();
  const session = new TestSession(run, { check: options.check, projects, patterns: program.args });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      session.interrupt();
    });
  }
  try {
    await session.runAll();
  } finally {
    await endRun(run);
  }
  const { passed, failed, skipped } = session.total();
  if (skipped > 0) say(`${String(skipped)} skipped`);
  if (failed > 0 || session.interrupted) process.exitCode = 1;
  say(`${String(passed)} passed, ${String(failed)} failed`);
};

class TestSession {
  interrupted = false;
  private readonly run: string;
  private readonly plan: Plan;
  private readonly progress = new Progress(say);
  private readonly counts: Counts[] = [];
  private jest: ChildProcess | undefined;

  constructor(run: string, plan: Plan) {
    this.run = run;
    this.plan = plan;
  }

  interrupt(): void {
    if (!this.interrupted) say('Stopping: what was started is ended first');
    this.interrupted = true;
    this.jest?.kill('SIGTERM');
  }

  /** Each part is tried even when one before it failed, except after a failed build. */
  async runAll(): Promise<void> {
    const wanted = (name: (typeof PROJECTS)[number]): boolean => this.plan.projects.includes(name);
    const built = await this.attempt(() =>
      this.progress.step('Built', 'cached when nothing changed', () => build(join(this.run, 'logs'))),
    );
    if (!built) return;
    if (this.plan.check) await this.attempt(() => this.check());
    const small = (['unit', 'integration'] as const).filter(wanted);
    if (small.length > 0) {
      await this.attempt(async () => {
        const servers = wanted('integration') ? await this.servers() : {};
        await this.runJest(small, servers, [FRESH_WORKER]);
      });
    }
    if (wanted('system')) {
      // Together: they share one stack, and some of them kill parts of it.
      await this.attempt(() => this.runJest(['system'], { PAYFLOW_TEST_RUN: this.run }, ['--runInBand']));
    }
  }

  total(): Counts {
    const sum = (field: keyof Counts): number => this.counts.reduce((total, counts) => total + counts[field], 0);
    return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
  }

  /** @returns whether it worked; when not, the reason is shown and counts as one failure */
  private async attempt(work: () => Promise<unknown>): Promise<boolean> {
    if (this.interrupted) return false;
    try {
      await work();
      return true;
    } catch (error) {
      const text = error instanceof Failure ? error.message : error instanceof Error ? error.stack : String(error);
      say(`${pc.red('✗')} ${text ?? ''}`);
      this.counts.push(ONE_FAILURE);
      return false;
    }
  }

  private async check(): Promise<void> {
    const failed = await runChecks(say);
    this.counts.push({ passed: 0, failed, skipped: 0 });
  }

  private async servers(): Promise<Readonly<Record<string, string>>> {
    const servers = await this.progress.step('Postgres and Apache Kafka for tests', '', () =>
      startTestServers(serversOf(this.run), (line) => {
        this.progress.note(line);
      }),
    );
    return {
      PAYFLOW_TEST_DATABASE_URL: servers.databaseUrl,
      PAYFLOW_TEST_KAFKA_BROKERS: servers.kafkaBrokers,
    };
  }

  private async runJest(
    projects: readonly string[],
    environment: Readonly<Record<string, string>>,
    flags: readonly string[],
  ): Promise<void> {
    const countsFile = join(this.run, 'counts.json');
    rmSync(countsFile, { force: true });
    const jest = spawn(
      process.execPath,
      [
        join(REPOSITORY, 'node_modules', 'jest', 'bin', 'jest.js'),
        '--selectProjects',
        ...projects,
        '--reporters=default',
        '--reporters=<rootDir>/tools/test/count-reporter.mjs',
        '--passWithNoTests',
        ...flags,
        ...(this.plan.patterns.length === 0 ? [] : ['--testPathPatterns', ...this.plan.patterns]),
      ],
      {
        cwd: REPOSITORY,
        stdio: ['ignore', 'inherit', 'inherit'],
        env: {
          ...process.env,
          ...environment,
          NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
          PAYFLOW_TEST_COUNTS: countsFile,
        },
      },
    );
    this.jest = jest;
    const code = await exitCodeOf(jest, countsFile);
    this.jest = undefined;
    const counts = readJson<Counts>(countsFile);
    if (counts !== undefined) this.counts.push(counts);
    if (this.interrupted) return;
    if (counts === undefined) throw new Failure(`The tests of ${projects.join(', ')} did not come to an end.`);
    if (code !== 0 && counts.failed === 0)
      throw new Failure(`Jest ended with ${String(code)} although no test failed.`);
  }
}

/** Jest waits for whatever a test left open, for ever; that is a failure of the test, and not a reason to wait with it. */
const exitCodeOf = async (jest: ChildProcess, countsFile: string): Promise<number | null> => {
  let code: number | null | undefined;
  const ended = new Promise<void>((resolve) => {
    jest.once('exit', (exitCode) => {
      code = exitCode;
      resolve();
    });
  });
  const watch = (async (): Promise<void> => {
    while (code === undefined && !existsSync(countsFile)) await wait(500, undefined, { ref: false });
    if (code === undefined) await wait(EXIT_GRACE_MS, undefined, { ref: false });
    if (code !== undefined) return;
    say(`${pc.red('✗')} A test left something open: Jest did not end after its last test.`);
    jest.kill('SIGKILL');
  })();
  await Promise.race([ended, watch.then(() => ended)]);
  return code ?? null;
};
