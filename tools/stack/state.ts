import { readJson, writePrivateJson } from '../servers/files.ts';
import type { ProcessRecord } from '../servers/process.ts';
import type { StackPaths } from './paths.ts';
import type { DemoData } from './secrets.ts';

export interface ServiceState extends ProcessRecord {
  readonly port: number;
  readonly logFile: string;
  /** Of its settings and of its code: what still runs under another one is out of date. */
  readonly fingerprint: string;
  readonly restarts: number;
}

export interface ServerState {
  readonly address: string;
  /** Absent for a server that is not ours. */
  readonly process?: ProcessRecord;
  readonly logFile?: string;
  readonly restarts: number;
}

/** `.payflow/state.json`: what runs, so that `npm run status`, `npm stop` and the next supervisor find it. */
export interface StackState {
  readonly supervisor?: ProcessRecord;
  readonly postgres?: ServerState;
  readonly kafka?: ServerState;
  readonly services: Readonly<Record<string, ServiceState>>;
}

export const NOTHING_RUNS: StackState = { services: {} };

export const readState = (paths: StackPaths): StackState => readJson<StackState>(paths.state) ?? NOTHING_RUNS;

export const writeState = (paths: StackPaths, state: StackState): void => {
  writePrivateJson(paths.state, state);
};

/** `.payflow/demo.json`: for scripts, what is printed for people. */
export interface DemoFile {
  readonly gateway: string;
  readonly kafka: string;
  readonly merchant: DemoData['merchant'];
  readonly ledgerClient: DemoData['ledgerClient'];
  readonly customer: { readonly email: string; readonly password: string };
  readonly admin: { readonly email: string; readonly password: string };
  readonly pids: Readonly<Record<string, number>>;
  /** Of the superuser. */
  readonly postgres: string;
  readonly services: Readonly<Record<string, string>>;
  readonly logs: string;
}

export interface DemoAddresses {
  readonly gateway: string;
  readonly kafka: string;
  readonly postgres: string;
}

export const demoFileOf = (
  paths: StackPaths,
  addresses: DemoAddresses,
  demo: DemoData,
  state: StackState,
): DemoFile => ({
  ...addresses,
  merchant: demo.merchant,
  ledgerClient: demo.ledgerClient,
  customer: { email: demo.customer.email, password: demo.customer.password },
  admin: { email: demo.admin.email, password: demo.admin.password },
  services: Object.fromEntries(
    Object.entries(state.services).map(([name, service]) => [name, `http://127.0.0.1:${String(service.port)}`]),
  ),
  pids: pidsOf(state),
  logs: paths.logs,
});

const pidsOf = (state: StackState): Readonly<Record<string, number>> => ({
  ...Object.fromEntries(Object.entries(state.services).map(([name, service]) => [name, service.pid])),
  ...(state.postgres?.process === undefined ? {} : { postgres: state.postgres.process.pid }),
  ...(state.kafka?.process === undefined ? {} : { kafka: state.kafka.process.pid }),
  ...(state.supervisor === undefined ? {} : { supervisor: state.supervisor.pid }),
});
