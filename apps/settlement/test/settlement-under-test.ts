import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { BankBookLine, BankPayout, Principal, SetBankMode } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { createServiceApp } from '@payflow/service';
import {
  createTestDatabase,
  eventually,
  freePort,
  type TestDatabase,
  testKafka,
  TokenMint,
  userPrincipal,
} from '@payflow/testing';

import { AcquirerSimModule } from '../../acquirer-sim/src/acquirer-sim.module.js';
import { migrations as bankMigrations } from '../../acquirer-sim/src/migrations.js';
import { insertPayoutState, lockBank } from '../../acquirer-sim/src/store/bank-payouts.js';
import { LedgerModule } from '../../ledger/src/ledger.module.js';
import { migrations as ledgerMigrations } from '../../ledger/src/migrations.js';
import { PaymentEventSource } from '../../ledger/test/payment-event-source.js';
import { BankFeed } from '../src/application/bank-feed.js';
import { RecoverPayouts } from '../src/application/recover-payouts.js';
import { ReserveBooks } from '../src/application/reserve-books.js';
import { SettlementJob } from '../src/application/settlement-job.js';
import { Ledger } from '../src/clients/ledger.js';
import { migrations } from '../src/migrations.js';
import { SettlementModule } from '../src/settlement.module.js';

export const IBAN = {
  paid: 'GB57PAYF00000100000001',
  accepted: 'GB30PAYF00000100000002',
  closed: 'GB73PAYF00000100000004',
  silentWithEffect: 'GB89PAYF00000100000007',
  silentWithoutEffect: 'GB62PAYF00000100000008',
  returned: 'GB78PAYF00000100000011',
} as const;

export const FINANCE: Principal = userPrincipal(newId('usr'), 'finance');

/** For a machine that is busy with other things. */
export const PATIENT = { timeoutMs: 120_000 };
/** Three services, their databases and topics, and consumers that join their groups. */
export const START_TIMEOUT_MS = 300_000;

const SECRET = 'secret-of-a-service-under-test';

// What is looked at field by field, by expectations.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Fields = Record<string, any>;

export interface Answered {
  readonly status: number;
  readonly body: Fields;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** No merchant has this id; whoever else is asked about exists. */
export const UNKNOWN_MERCHANT = newId('mer');

/** The settlement service before the real ledger and the real bank of the simulator; payments are told by the test. */
export class SettlementUnderTest {
  private readonly tokens = new Map<string, string>();
  private readonly processes = new Set<ChildProcess>();

  private constructor(
    readonly apps: readonly NestFastifyApplication[],
    readonly payments: PaymentEventSource,
    readonly databases: TestDatabase,
    private readonly settings: Readonly<Record<string, string>>,
    private readonly mint: TokenMint,
    readonly simUrl: string,
    private readonly ledgerDatabase: () => Database,
    private readonly simDatabase: () => Database,
    private readonly closeOthers: () => Promise<void>,
  ) {}

  static async start(
    more: {
      readonly instances?: number;
      readonly environment?: Readonly<Record<string, string>>;
      /** False: nothing can be heard of payments, and nobody waits for it. */
      readonly hears?: boolean;
    } = {},
  ): Promise<SettlementUnderTest> {
    const [databases, ledgerDatabases, simDatabases, mint] = await Promise.all([
      createTestDatabase({ service: 'settlement', migrations }),
      createTestDatabase({ service: 'ledger', migrations: ledgerMigrations }),
      createTestDatabase({ service: 'acquirer-sim', migrations: bankMigrations }),
      TokenMint.open(),
    ]);
    const auth = await openAuth(mint);
    const common = {
      KAFKA_BROKERS: testKafka().brokerList,
      KAFKA_TOPIC_PREFIX: `settlement-${process.pid}-${newId('req').slice(-8)}.`,
      AUTH_URL: addressOf(auth),
      ISSUER: mint.url,
      NODE_ENV: 'test',
      LOG_LEVEL: 'error',
      SHUTDOWN_UNREADY_MS: '0',
      SERVICE_CLIENT_SECRET: SECRET,
    };
    const payments = await PaymentEventSource.start(common);
    const ledger = await createServiceApp({
      name: 'ledger',
      module: LedgerModule,
      environment: {
        ...common,
        DATABASE_URL: ledgerDatabases.runtimeUrl,
        PAYMENT_URL: payments.url,
        CHECKPOINT_KEY: Buffer.alloc(32, 1).toString('base64'),
      },
    });
    await ledger.listen(0, '127.0.0.1');
    const sim = await createServiceApp({
      name: 'acquirer-sim',
      module: AcquirerSimModule,
      environment: {
        DATABASE_URL: simDatabases.runtimeUrl,
        SERVICE_CLIENT_SECRET: SECRET,
        LOG_LEVEL: 'silent',
        NODE_ENV: 'test',
        PENDING_MS: '100',
        SILENCE_MS: '20000',
      },
    });
    await sim.listen(0, '127.0.0.1');
    const simUrl = await sim.getUrl();
    const settings = {
      ...common,
      PAYMENT_URL: payments.url,
      LEDGER_URL: await ledger.getUrl(),
      BANK_URL: `${simUrl}/banks/sim`,
      ACQUIRERS: JSON.stringify({ sim: `${simUrl}/acquirers/sim`, sim2: `${simUrl}/acquirers/sim2` }),
      BANK_ACCOUNT_KEY: Buffer.alloc(32, 7).toString('base64'),
      BANK_TIMEOUT_MS: '1000',
      BANK_FEED_POLL_MS: '100',
      PAYOUT_INQUIRY_DELAYS_SECONDS: '1,1',
      ...more.environment,
    };
    const apps: NestFastifyApplication[] = [];
    for (let instance = 0; instance < (more.instances ?? 1); instance += 1)
      apps.push(
        await createServiceApp({
          name: 'settlement',
          module: SettlementModule,
          environment: { ...settings, DATABASE_URL: databases.runtimeUrl },
        }),
      );
    const closeOthers = async (): Promise<void> => {
      await Promise.all([ledger.close(), sim.close(), payments.stop()]);
      auth.closeAllConnections();
      auth.close();
      await mint.close();
      await Promise.all([databases.drop(), ledgerDatabases.drop(), simDatabases.drop()]);
    };
    const started = new SettlementUnderTest(
      apps,
      payments,
      databases,
      settings,
      mint,
      simUrl,
      () => ledger.get(Database),
      () => sim.get(Database),
      closeOthers,
    );
    // Consumers take some seconds to join their groups; until then there is no balance.
    if (more.hears !== false)
      await eventually(async () => {
        const { status } = await started.get(`/balance?merchantId=${newId('mer')}`, FINANCE);
        if (status !== 200) throw new Error('does not hear of payments yet');
      }, PATIENT);
    return started;
  }

  async stop(): Promise<void> {
    for (const child of this.processes) child.kill('SIGKILL');
    await Promise.all(this.apps.map(async (app) => await app.close()));
    await this.closeOthers();
  }

  /** The job of each instance. */
  jobs(): readonly SettlementJob[] {
    return this.apps.map((app) => app.get(SettlementJob));
  }

  /** From now on this instance listens and answers, and settles and pays nothing by itself. */
  async rest(): Promise<void> {
    for (const worker of [SettlementJob, RecoverPayouts, BankFeed, ReserveBooks])
      await this.app().get<{ beforeApplicationShutdown(): Promise<void> }>(worker).beforeApplicationShutdown();
  }

  app(instance = 0): NestFastifyApplication {
    const app = this.apps[instance];
    if (app === undefined) throw new Error(`invariant: there is no instance ${instance}`);
    return app;
  }

  get database(): Database {
    return this.app().get(Database);
  }

  /** A merchant with an account at the bank. */
  async merchant(iban: string = IBAN.paid): Promise<string> {
    const merchantId = newId('mer');
    const { status, body } = await whenHeard(
      async () => await this.put(`/merchants/${merchantId}/payout-account`, { iban, name: 'Ada’s Books' }),
    );
    if (status !== 200) throw new Error(JSON.stringify(body));
    return merchantId;
  }

  /** Settles what the merchant has, and waits for the end of the run. */
  async settle(merchantId: string, more: Fields = {}): Promise<Fields> {
    const key = newId('req');
    const { status, body } = await whenHeard(
      async () => await this.post('/settlements/run', { merchantId, ...more }, FINANCE, key),
    );
    if (status !== 202) throw new Error(`${status} ${JSON.stringify(body)}`);
    return await this.runDone(String(body['runId']));
  }

  async runDone(runId: string): Promise<Fields> {
    return await eventually(async () => {
      const { body } = await this.get(`/settlements/runs/${runId}`, FINANCE);
      if (body['phase'] !== 'DONE') throw new Error(`the run is ${JSON.stringify(body)}`);
      return body;
    }, PATIENT);
  }

  async list(path: string, merchantId: string): Promise<readonly Fields[]> {
    const { status, body } = await this.heard(`${path}?merchantId=${merchantId}&limit=100`, FINANCE);
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
    return body['data'] as readonly Fields[];
  }

  async balance(merchantId: string): Promise<readonly Fields[]> {
    const { status, body } = await this.heard(`/balance?merchantId=${merchantId}`, FINANCE);
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
    return body['data'] as readonly Fields[];
  }

  /** The only payout of a merchant, as soon as it has this status. */
  async payoutIn(merchantId: string, status: string): Promise<Fields> {
    return await eventually(async () => {
      const payouts = await this.list('/payouts', merchantId);
      const found = payouts.find((payout) => payout['status'] === status);
      if (found === undefined) throw new Error(`no payout is ${status}: ${JSON.stringify(payouts)}`);
      return found;
    }, PATIENT);
  }

  /** What the ledger has on an account. */
  async ledgerBalance(code: string, currency = 'USD'): Promise<number> {
    const { balances } = await this.app().get(Ledger).balances([{ code, currency }]);
    return balances[0]?.balance ?? 0;
  }

  /** The types of a merchant's postings in the ledger, in order. */
  async posted(merchantId: string): Promise<readonly string[]> {
    const rows = await this.ledgerDatabase().query<{ type: string }>(
      'SELECT type FROM transactions WHERE merchant_id = $1 AND payment_id IS NULL ORDER BY position',
      [merchantId],
    );
    return rows.map(({ type }) => type);
  }

  /** The events that were told of an aggregate, in order. */
  async told(aggregateId: string): Promise<readonly { readonly topic: string; readonly payload: Fields }[]> {
    const rows = await this.database.query<{ topic: string; envelope: string }>(
      'SELECT topic, envelope FROM outbox WHERE aggregate_id = $1 ORDER BY sequence',
      [aggregateId],
    );
    return rows.map(({ topic, envelope }) => ({
      topic,
      payload: (JSON.parse(envelope) as { payload: Fields }).payload,
    }));
  }

  async bankBook(reference?: string): Promise<readonly BankBookLine[]> {
    const query = reference === undefined ? 'limit=1000' : `reference=${reference}`;
    const answer = await fetch(`${this.simUrl}/banks/sim/book?${query}`);
    return ((await answer.json()) as { data: BankBookLine[] }).data;
  }

  async returnPayout(reference: string): Promise<void> {
    await this.atBank('POST', `/payouts/${reference}/return`, { reason: 'AC04' });
  }

  /** A payout that reaches the bank by another way than ours. */
  async payAtBank(order: {
    readonly reference: string;
    readonly amount: number;
    readonly iban: string;
    readonly currency?: string;
  }): Promise<void> {
    const { reference, amount, iban, currency = 'USD' } = order;
    await this.atBank('POST', '/payouts', { reference, amount, currency, creditor: { name: 'Ada', iban } }, 201);
  }

  /** The bank says another thing from now on, as banks do and the simulated one does not. */
  async changeAtBank(reference: string, status: BankPayout['status']): Promise<void> {
    await this.simDatabase().transaction(async (tx) => {
      await lockBank(tx, 'sim');
      await insertPayoutState(tx, 'sim', reference, { status, reason: null }, new Date());
    });
  }

  async setBankMode(mode: SetBankMode): Promise<void> {
    await this.atBank('POST', '/mode', mode);
  }

  async clearBankModes(): Promise<void> {
    await this.atBank('DELETE', '/mode');
  }

  async get(path: string, as: Principal, at = 0): Promise<Answered> {
    return await this.ask('GET', path, as, undefined, {}, at);
  }

  /** What a merchant's payments come to: asked for again as long as the service has not heard of all of them. */
  async heard(path: string, as: Principal, at = 0): Promise<Answered> {
    return await whenHeard(async () => await this.get(path, as, at));
  }

  async post(path: string, body: unknown, as: Principal = FINANCE, key: string = newId('req')): Promise<Answered> {
    return await this.ask('POST', path, as, body, { 'idempotency-key': key });
  }

  async put(
    path: string,
    body: unknown,
    as: Principal = FINANCE,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answered> {
    return await this.ask('PUT', path, as, body, { 'idempotency-key': newId('req'), ...headers });
  }

  /** An instance as a process of its own, on the same database, which kills itself at that place (none: ''). */
  async startProcess(crash: string): Promise<{
    readonly url: string;
    readonly child: ChildProcess;
    readonly died: Promise<unknown>;
    kill(): void;
  }> {
    const port = await freePort();
    const child = fork(new URL('../src/main.ts', import.meta.url), {
      execArgv: ['--conditions', 'payflow-source', '--import', '@payflow/testing/typescript-hooks'],
      env: {
        ...this.settings,
        PATH: process.env['PATH'],
        PORT: String(port),
        DATABASE_URL: this.databases.runtimeUrl,
        PAYFLOW_CRASH: crash,
      },
      stdio: 'ignore',
    });
    this.processes.add(child);
    const died = once(child, 'exit').then(([, signal]: unknown[]) => {
      this.processes.delete(child);
      return signal;
    });
    return { url: `http://127.0.0.1:${port}`, child, died, kill: () => void child.kill('SIGKILL') };
  }

  private async ask(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    as: Principal,
    body: unknown,
    headers: Readonly<Record<string, string>>,
    at = 0,
  ): Promise<Answered> {
    const response = await this.app(at).inject({
      method,
      url: path,
      headers: {
        authorization: await this.authorization(as),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
    return {
      status: response.statusCode,
      body: JSON.parse(response.payload === '' ? '{}' : response.payload) as Fields,
      headers: response.headers,
    };
  }

  async authorization(principal: Principal): Promise<string> {
    const known = this.tokens.get(JSON.stringify(principal)) ?? (await this.mint.authorization(principal));
    this.tokens.set(JSON.stringify(principal), known);
    return known;
  }

  private async atBank(method: string, path: string, body?: unknown, status = 200): Promise<void> {
    const answer = await fetch(`${this.simUrl}/banks/sim${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (answer.status !== status) throw new Error(`the bank refuses: ${answer.status} ${await answer.text()}`);
  }
}

/** On a busy machine it takes longer than a request waits, which is then refused: never answered with less. */
const whenHeard = async (ask: () => Promise<Answered>): Promise<Answered> =>
  await eventually(async () => {
    const answer = await ask();
    if (answer.status === 503) throw new Error(JSON.stringify(answer.body));
    return answer;
  }, PATIENT);

const addressOf = (server: Server): string => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('invariant: a TCP server has a port');
  return `http://127.0.0.1:${String(address.port)}`;
};

/** Auth as settlement sees it: tokens by the mint, and every merchant but one. */
const openAuth = async (mint: TokenMint): Promise<Server> => {
  const server = createServer((request, response) => {
    const merchantId = /^\/merchants\/(\w+)$/.exec(request.url ?? '')?.[1];
    if (merchantId !== undefined) {
      const known = merchantId !== UNKNOWN_MERCHANT;
      response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(known ? merchantOf(merchantId) : NOT_FOUND));
      return;
    }
    passOn(mint, request.method ?? 'GET', request.url ?? '/', request, response).catch(() => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
};

const passOn = async (
  mint: TokenMint,
  method: string,
  path: string,
  request: AsyncIterable<unknown> & { readonly headers: Readonly<Record<string, unknown>> },
  response: { writeHead(status: number, headers: Record<string, string>): unknown; end(text: string): unknown },
): Promise<void> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const headers = Object.fromEntries(
    ['authorization', 'content-type'].flatMap((name) =>
      typeof request.headers[name] === 'string' ? [[name, request.headers[name]]] : [],
    ),
  );
  const passed = await fetch(`${mint.url}${path}`, {
    method,
    headers,
    ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
  });
  response.writeHead(passed.status, { 'content-type': 'application/json' });
  response.end(await passed.text());
};

const merchantOf = (merchantId: string) => ({
  merchantId,
  name: 'Ada’s Books',
  status: 'ACTIVE',
  publishableKey: null,
  createdAt: '2026-01-01T00:00:00.000Z',
});

const PAGE = 'http://gateway.test/docs/problems/merchant_not_found';
const NOT_FOUND = {
  type: PAGE,
  title: 'There is no such merchant',
  status: 404,
  code: 'merchant_not_found',
  requestId: 'req_auth',
  docUrl: PAGE,
};
