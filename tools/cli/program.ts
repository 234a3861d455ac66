import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { Listr } from 'listr2';
import colors from 'picocolors';

import { messageOf } from '../servers/failure.ts';
import { type Connection, connectionFrom } from './connection.ts';
import {
  dryRunDeadLetters,
  type Job,
  listDeadLetters,
  settleDeadLetters,
  type SettleOptions,
  showDeadLetters,
  type Target,
} from './dead-letters.ts';
import { CliError, EXIT, type ExitCode } from './failure.ts';
import { listen } from './listen.ts';
import { capturePayment, getPayment, pay, refundPayment, timelineOfPayment } from './payments.ts';
import { printableJson, printableLines } from './printable.ts';
import { listDifferences, runSettlement } from './settlement.ts';
import type { Shown } from './shown.ts';
import { checksOf, lookAt, type Looked, shownChecks, status } from './state.ts';
import { SCENES, trigger } from './trigger.ts';

/** What surrounds a run, so that a test can be it. */
export interface Surroundings {
  readonly environment: NodeJS.ProcessEnv;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Somebody is looking: progress is shown. */
  readonly watched: boolean;
}

interface Common {
  readonly json: boolean;
}

const whole = (text: string): number => {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('A whole number above 0.');
  return number;
};

const oneOf =
  (...words: readonly string[]) =>
  (text: string): string => {
    if (!words.includes(text)) throw new InvalidArgumentError(`One of ${words.join(', ')}.`);
    return text;
  };

const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  npm run payflow -- ${line}`).join('\n')}\n`;

const HELP = `
It talks to the PayFlow that \`npm start\` runs (its .payflow/demo.json, or that of PAYFLOW_HOME), or to another one:
  PAYFLOW_URL                                its gateway
  PAYFLOW_CLIENT_ID, PAYFLOW_CLIENT_SECRET   a merchant's client
  PAYFLOW_EMAIL, PAYFLOW_PASSWORD            who does what operators do

Exit codes: 0 done, 1 refused or not well, 2 wrong use, 3 PayFlow cannot be reached.
With --json the output is one JSON document (\`listen\`: one a line) and nothing else.
`;

/** Runs one command. @returns the exit code */
export const run = async (args: readonly string[], around: Surroundings): Promise<ExitCode> => {
  const asJson = args.includes('--json');
  const outcome = { failed: false };
  const show = (shown: Shown): void => {
    outcome.failed = shown.failed === true;
    around.out(`${asJson ? printableJson(shown.json, 2) : shown.text}\n`);
  };
  try {
    await programOf(around, show).parseAsync([...args], { from: 'user' });
    return outcome.failed ? EXIT.refused : EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const { exitCode, problem } =
      error instanceof CliError ? error : { exitCode: EXIT.refused as ExitCode, problem: undefined };
    if (asJson) around.out(`${printableJson({ error: messageOf(error), problem: problem ?? null }, 2)}\n`);
    else around.err(`${colors.red(printableLines(messageOf(error)))}\n`);
    return exitCode;
  }
};

const programOf = (around: Surroundings, show: (shown: Shown) => void): Command => {
  const connection = (): Connection => connectionFrom(around.environment);
  const program = new Command('payflow')
    .description('PayFlow from the command line: look at it, try it, operate it.')
    .addHelpText('after', HELP)
    .showHelpAfterError('(--help shows what there is)')
    .configureOutput({ writeOut: around.out, writeErr: around.err })
    .exitOverride();
  /** Every command speaks JSON. */
  const command = (parent: Command, usage: string, description: string): Command =>
    parent.command(usage).description(description).option('--json', 'for scripts', false);

  command(program, 'status', 'Whether every service is ready. Exit code 1 when one that is needed is not.')
    .addHelpText('after', examples('status', 'status --json'))
    .action(async () => {
      show(await status(connection()));
    });
  command(program, 'doctor', 'Look for what keeps PayFlow from running here: Java, Maven, disk, ports, servers, clock.')
    .addHelpText('after', examples('doctor'))
    .action(async ({ json }: Common) => {
      show(await doctor(around, json));
    });
  addPayments(program, command, connection, show);
  addEvents(program, command, connection, show, around);
  addDeadLetters(program, command, connection, show, around);
  const settle = program.command('settle').description('Settlement.');
  command(settle, 'run', 'Settle and pay out what is available.')
    .option('--merchant <id>', 'only this one')
    .option('--cutoff <time>', 'what is available by then; without it: now')
    .option('--no-wait', 'do not wait until it is over')
    .option('--key <key>', 'Idempotency-Key')
    .addHelpText('after', examples('settle run', 'settle run --cutoff 2026-11-21T00:00:00Z --json'))
    .action(async (options: Parameters<typeof runSettlement>[1]) => {
      show(await runSettlement(connection(), options));
    });
  const recon = program.command('recon').description('Reconciliation.');
  command(recon, 'exceptions', 'Where the books of acquirers and the bank differ from ours.')
    .option('--status <status>', 'OPEN or RESOLVED', oneOf('OPEN', 'RESOLVED'), 'OPEN')
    .option('--source <source>', 'acquirer:{name} or bank:{name}')
    .option('--kind <kind>', 'missing_here, missing_there, amount, currency, duplicate or fee')
    .addHelpText('after', examples('recon exceptions', 'recon exceptions --source acquirer:sim --kind amount'))
    .action(async (options: Parameters<typeof listDifferences>[1]) => {
      show(await listDifferences(connection(), options));
    });
  command(program, 'audit', 'Check the invariants over all databases, the broker and the acquirers’ books.')
    .option('-i, --invariant <numbers>', 'only these, separated by commas')
    .addHelpText('after', examples('audit', 'audit --invariant 2,10 --json'))
    .action(async ({ json, invariant }: Common & { readonly invariant?: string }) => {
      const { main } = await import('../audit/command.ts');
      await main([...(json ? ['--json'] : []), ...(invariant === undefined ? [] : ['--invariant', invariant])]);
      if (process.exitCode !== undefined && process.exitCode !== 0)
        throw new CommanderError(EXIT.refused, 'payflow.audit', 'the audit found something');
    });
  return program;
};

type AddCommand = (parent: Command, usage: string, description: string) => Command;
type Show = (shown: Shown) => void;

const addPayments = (program: Command, command: AddCommand, connection: () => Connection, show: Show): void => {
  command(program, 'pay', 'Authorize and capture a payment with a test card.')
    .option('-a, --amount <minor>', 'in minor units: 1050 is USD 10.50', whole, 1_000)
    .option('-c, --currency <code>', 'ISO 4217', 'USD')
    .option('--card <number>', 'a test card: GET /test-cards lists them', '4242424242424242')
    .option('--no-capture', 'authorize only')
    .option('--reference <text>', 'your own')
    .option('--key <key>', 'Idempotency-Key: the same again is the same payment')
    .addHelpText('after', examples('pay', 'pay --amount 2500 --no-capture --json', 'pay --card 4000000000000002'))
    .action(async (options: Parameters<typeof pay>[1]) => {
      show(await pay(connection(), options));
    });
  const payments = program.command('payments').description('Payments of the merchant.');
  command(payments, 'get <paymentId>', 'How a payment stands.')
    .addHelpText('after', examples('payments get pay_… --json'))
    .action(async (paymentId: string) => {
      show(await getPayment(connection(), paymentId));
    });
  for (const [name, work, description] of [
    ['capture', capturePayment, 'Take what was authorized, or a part of it.'],
    ['refund', refundPayment, 'Give back what was captured, or a part of it.'],
  ] as const)
    command(payments, `${name} <paymentId>`, description)
      .option('-a, --amount <minor>', 'without it: all', whole)
      .option('--key <key>', 'Idempotency-Key')
      .addHelpText('after', examples(`payments ${name} pay_…`, `payments ${name} pay_… --amount 500 --json`))
      .action(async (paymentId: string, options: { readonly amount?: number; readonly key?: string }) => {
        show(await work(connection(), paymentId, options));
      });
  command(payments, 'timeline <paymentId>', 'Everything that happened to a payment, in all services.')
    .addHelpText('after', examples('payments timeline pay_…'))
    .action(async (paymentId: string) => {
      show(await timelineOfPayment(connection(), paymentId));
    });
};

const addEvents = (
  program: Command,
  command: AddCommand,
  connection: () => Connection,
  show: Show,
  around: Surroundings,
): void => {
  command(program, 'listen', 'Post events to an address of yours as they happen, signed like webhooks.')
    .requiredOption('--forward-to <url>', 'where your receiver listens')
    .option('--events <types>', 'only these, separated by commas: payment.captured,payout.*', '*')
    .option('--since <time>', 'begin then; without it: now')
    .option('--max <number>', 'end after so many', whole)
    .option('--interval <ms>', 'between two looks at the feed', whole, 1_000)
    .option('--secret <whsec>', 'sign with this one; without it: a fresh one')
    .addHelpText(
      'after',
      examples(
        'listen --forward-to http://localhost:3000/webhooks',
        'listen --forward-to http://localhost:3000/webhooks --events payment.captured,dispute.* --json',
      ),
    )
    .action(async (options: Listening & Common) => {
      const { json, events, interval, ...rest } = options;
      await listen(connection(), { ...rest, events: events.split(','), intervalMs: interval }, (line) => {
        around.out(`${json ? printableJson(line.json) : line.text}\n`);
      });
    });
  command(program, 'trigger <event>', 'Make an event happen, by a payment that has it.')
    .addHelpText('after', `\nEvents: ${Object.keys(SCENES).join(', ')}\n${examples('trigger payment.captured')}`)
    .action(async (event: string) => {
      const scene = SCENES[event];
      if (scene === undefined)
        throw new CliError(EXIT.usage, `${event} cannot be triggered. There are: ${Object.keys(SCENES).join(', ')}.`);
      show(await trigger(connection(), event, scene));
    });
};

interface Listening {
  readonly forwardTo: string;
  readonly events: string;
  readonly interval: number;
  readonly since?: string;
  readonly max?: number;
  readonly secret?: string;
}

interface Chosen extends Common {
  readonly group?: string;
}

/** @throws CliError for none, and for both */
const targetOf = (id: string | undefined, { group }: Chosen): Target => {
  if (id !== undefined && group === undefined) return { id };
  if (id === undefined && group !== undefined) return { group };
  throw new CliError(EXIT.usage, 'Name one letter, or a --group of them.');
};

const addDeadLetters = (
  program: Command,
  command: AddCommand,
  connection: () => Connection,
  show: Show,
  around: Surroundings,
): void => {
  const dlq = program.command('dlq').description('Dead letters: messages that a service could not apply.');
  command(dlq, 'list', 'The dead letters of all services, by their cause.')
    .option('--status <status>', 'open, replaying, replayed or discarded', 'open')
    .addHelpText('after', examples('dlq list', 'dlq list --json'))
    .action(async ({ status: wanted }: { readonly status: string }) => {
      show(await listDeadLetters(connection(), wanted));
    });
  command(dlq, 'show <service> [deadLetterId]', 'A letter, or those of a group. Secrets and card numbers are masked.')
    .option('--group <group>', 'all of a cause')
    .addHelpText('after', examples('dlq show ledger dl_…', 'dlq show ledger --group 0123456789ab'))
    .action(async (service: string, id: string | undefined, options: Chosen) => {
      show(await showDeadLetters(connection(), service, targetOf(id, options)));
    });
  command(dlq, 'dry-run <service> [deadLetterId]', 'Whether a replay would work now. Nothing comes of it.')
    .option('--group <group>', 'the newest of a cause')
    .addHelpText('after', examples('dlq dry-run ledger --group 0123456789ab'))
    .action(async (service: string, id: string | undefined, options: Chosen) => {
      show(await dryRunDeadLetters(connection(), service, targetOf(id, options)));
    });
  for (const [action, description] of [
    ['replay', 'Have letters tried again, once, under their old event ids.'],
    ['discard', 'Give letters up for good.'],
  ] as const)
    command(dlq, `${action} <service> [deadLetterId]`, description)
      .option('--group <group>', 'all of a cause')
      .requiredOption('--reason <text>', 'why; it is kept')
      .option('--rate <number>', 'letters a second, of a group', whole)
      .option('--no-wait', 'do not wait until it is over')
      .option('--key <key>', 'Idempotency-Key')
      .addHelpText('after', examples(`dlq ${action} ledger --group 0123456789ab --reason "the account is open again"`))
      .action(async (service: string, id: string | undefined, options: Chosen & SettleOptions) => {
        const target = targetOf(id, options);
        show(
          await withProgress(
            around,
            options.json,
            `${action} at ${service}`,
            async (tell) => await settleDeadLetters(connection(), service, action, target, options, tell),
          ),
        );
      });
};

/** With a line that moves while somebody looks, and none while a script does. */
const withProgress = async (
  around: Surroundings,
  json: boolean,
  title: string,
  work: (tell: (job: Job) => void) => Promise<Shown>,
): Promise<Shown> => {
  if (json || !around.watched) return await work(() => undefined);
  const result: { shown?: Shown } = {};
  await new Listr([
    {
      title,
      task: async (_, task) => {
        result.shown = await work(({ handled, skipped, total }) => {
          task.output = `${handled + skipped} of ${total}`;
        });
      },
    },
  ]).run();
  if (result.shown === undefined) throw new Error('invariant: a task that ended has a result');
  return result.shown;
};

const doctor = async (around: Surroundings, json: boolean): Promise<Shown> => {
  const checks = checksOf(around.environment);
  const looked: Looked[] = [];
  if (json || !around.watched) {
    for (const check of checks) looked.push(await lookAt(check));
    return shownChecks(looked);
  }
  const tasks = checks.map((check) => ({
    title: check.name,
    task: async (): Promise<void> => {
      const result = await lookAt(check);
      looked.push(result);
      if (!result.ok) throw new Error(result.told);
    },
  }));
  await new Listr(tasks, { exitOnError: false }).run();
  return shownChecks(looked);
};
