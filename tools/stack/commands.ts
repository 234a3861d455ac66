import { Command } from 'commander';

import { stackPaths } from './paths.ts';
import { Progress } from './progress.ts';
import { settingsFrom } from './settings.ts';
import { startDetached } from './detach.ts';
import { statusOf, statusTable } from './status.ts';
import { stopStack } from './stop.ts';
import { summaryOf } from './summary.ts';
import { AlreadyRunning, supervise } from './supervise.ts';
import { supervisorOf } from './supervisor-lock.ts';

const SETTINGS_HELP = `
Settings (environment variables):
  PORT                                  of the gateway (8080); 0 takes any free port
  AUTH_PORT, PAYMENT_PORT, TOKENIZATION_PORT, LEDGER_PORT, ACQUIRER_SIM_PORT
                                        of the other services (8081 to 8085)
  POSTGRES_PORT, KAFKA_PORT             of the servers (any free port)
  DATABASE_URL                          use this Postgres; its role may create roles and databases
  KAFKA_BROKERS                         use this Kafka
  PAYFLOW_HOME                          where data, logs and secrets are kept (.payflow)
  LOG_LEVEL                             of the services (info)
`;

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** `npm start`, `npm stop`, `npm run status`: the first argument names the command. */
export const main = async (args: readonly string[]): Promise<void> => {
  const program = new Command('npm')
    .description('Run PayFlow on this machine: a real Postgres, a real Apache Kafka and every service.')
    .showHelpAfterError();
  program
    .command('start')
    .usage('[-- options]')
    .description('Start everything and watch over it. Ctrl-C stops it; the data stays.')
    .option('-d, --detach', 'return when everything is ready; it goes on in the background', false)
    .addHelpText(
      'after',
      `${SETTINGS_HELP}
Examples:
  npm start                             in the foreground
  npm start -- --detach                 in the background; npm stop ends it
  PORT=9090 npm start                   the gateway on another port
  DATABASE_URL=postgres://me:secret@db.example:5432/postgres KAFKA_BROKERS=kafka.example:9092 npm start
`,
    )
    .action(async (options: { readonly detach: boolean }) => {
      await start(options.detach);
    });
  program.command('stop').description('End every process and wait until they are gone. The data stays.').action(stop);
  program
    .command('status')
    .usage('[-- options]')
    .description('Show each process with its port, health and log file.')
    .option('--json', 'for scripts', false)
    .action(async (options: { readonly json: boolean }) => {
      const status = await statusOf(stackPaths(process.env));
      process.stdout.write(options.json ? `${JSON.stringify(status, undefined, 2)}\n` : statusTable(status));
      if (!status.running) process.exitCode = 1;
    });
  await program.parseAsync([...args], { from: 'user' });
};

const start = async (detach: boolean): Promise<void> => {
  const paths = stackPaths(process.env);
  const settings = settingsFrom(process.env);
  const holder = supervisorOf(paths);
  if (holder !== undefined) {
    if (!detach) throw new AlreadyRunning(holder);
    say(`PayFlow already runs (process ${String(holder.pid)}).`);
    process.stdout.write(summaryOf(paths));
    return;
  }
  say('Starting PayFlow: Postgres, Apache Kafka and its services');
  if (detach) {
    await startDetached(paths, process.env, say);
    process.stdout.write(summaryOf(paths));
    return;
  }
  await supervise(paths, settings, new Progress(say), () => {
    process.stdout.write(summaryOf(paths));
    say('Ctrl-C stops everything.');
  });
};

const stop = async (): Promise<void> => {
  const paths = stackPaths(process.env);
  if (supervisorOf(paths) !== undefined) say('Stopping PayFlow');
  const ended = await stopStack(paths);
  say(ended.length === 0 ? 'PayFlow is not running.' : `Ended: ${ended.join(', ')}.`);
};
