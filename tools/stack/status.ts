import pc from 'picocolors';

import { brokerAnswers } from '../servers/kafka-probe.ts';
import { postgresAnswers } from '../servers/postgres.ts';
import { isAlive, type ProcessRecord } from '../servers/process.ts';
import { healthOf } from './health.ts';
import type { StackPaths } from './paths.ts';
import { readState, type ServerState } from './state.ts';
import { supervisorOf } from './supervisor-lock.ts';

export interface StatusRow {
  readonly name: string;
  readonly port: number | null;
  readonly pid: number | null;
  readonly health: 'ready' | 'not ready' | 'no answer' | 'ended' | 'running';
  readonly restarts: number;
  readonly log: string | null;
}

export interface Status {
  readonly home: string;
  readonly running: boolean;
  readonly processes: readonly StatusRow[];
}

export const statusOf = async (paths: StackPaths): Promise<Status> => {
  const state = readState(paths);
  const supervisor = supervisorOf(paths);
  const services = Object.entries(state.services).map(async ([name, service]): Promise<StatusRow> => {
    const alive = isAlive(service);
    return {
      name,
      port: service.port,
      pid: alive ? service.pid : null,
      health: alive ? await healthOf(`http://127.0.0.1:${String(service.port)}`) : 'ended',
      restarts: service.restarts,
      log: service.logFile,
    };
  });
  const servers = [
    serverRow('postgres', state.postgres, (address) => new URL(address).port || '5432', postgresAnswers),
    serverRow(
      'kafka',
      state.kafka,
      (address) => address.split(',')[0]?.split(':')[1] ?? '',
      (address) => brokerAnswers(Number(address.split(',')[0]?.split(':')[1]), address.split(',')[0]?.split(':')[0]),
    ),
  ];
  const processes = (await Promise.all([...servers, ...services])).filter((row) => row !== undefined);
  const own: StatusRow[] =
    supervisor === undefined
      ? []
      : [{ name: 'supervisor', port: null, pid: supervisor.pid, health: 'running', restarts: 0, log: null }];
  return {
    home: paths.home,
    running: supervisor !== undefined && processes.every((row) => row.health === 'ready'),
    processes: [...own, ...processes],
  };
};

const serverRow = async (
  name: string,
  server: ServerState | undefined,
  portOf: (address: string) => string,
  answers: (address: string) => Promise<boolean>,
): Promise<StatusRow | undefined> => {
  if (server === undefined) return undefined;
  const pid = pidOf(server.process);
  const ended = server.process !== undefined && pid === null;
  return {
    name,
    port: Number(portOf(server.address)),
    pid,
    health: ended ? 'ended' : (await answers(server.address)) ? 'ready' : 'no answer',
    restarts: server.restarts,
    log: server.logFile ?? null,
  };
};

const pidOf = (record: ProcessRecord | undefined): number | null =>
  record !== undefined && isAlive(record) ? record.pid : null;

export const statusTable = (status: Status): string => {
  if (status.processes.length === 0) return 'PayFlow is not running. `npm start` starts it.\n';
  const header = ['process', 'port', 'pid', 'health', 'restarts', 'log'];
  const rows = status.processes.map((row) => [
    row.name,
    row.port === null ? '' : String(row.port),
    row.pid === null ? (row.health === 'ended' ? '' : 'yours') : String(row.pid),
    row.health,
    String(row.restarts),
    row.log ?? '',
  ]);
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const coloured = rows.map((row) => {
    const text = line(row);
    return row[3] === 'ready' || row[3] === 'running' ? text : pc.red(text);
  });
  return `${pc.dim(line(header))}\n${coloured.join('\n')}\n`;
};
