import { type ChildProcess, fork } from 'node:child_process';

import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Principal } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { createServiceApp } from '@payflow/service';
import { createTestDatabase, type TestDatabase, testKafka, TokenMint, userPrincipal } from '@payflow/testing';

import { LedgerModule } from '../../ledger/src/ledger.module.js';
import { migrations as ledgerMigrations } from '../../ledger/src/migrations.js';
import { Ledger } from '../src/clients/clients.module.js';
import { availableAccount } from '../src/domain/accounts.js';
import { migrations } from '../src/migrations.js';
import { storeOwner } from '../src/store/owners.js';
import { findWallet } from '../src/store/wallets.js';
import { WalletModule } from '../src/wallet.module.js';
import { AuthFake } from './auth-fake.js';

/** What is looked at field by field, by expectations. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Fields = Record<string, any>;

export interface Answered {
  readonly status: number;
  readonly body: Fields;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface Asked {
  readonly as?: Principal;
  readonly body?: unknown;
  /** As `application/x-www-form-urlencoded`. */
  readonly form?: Readonly<Record<string, string>>;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of several instances, the one that is asked. */
  readonly at?: number;
}

/** The wallet service, in one instance or several on one database, before the real ledger. */
export class WalletsUnderTest {
  private readonly tokens = new Map<string, string>();
  private readonly processes = new Set<ChildProcess>();

  private constructor(
    readonly apps: readonly NestFastifyApplication[],
    readonly ledger: NestFastifyApplication,
    readonly ledgerUrl: string,
    readonly databases: TestDatabase,
    readonly topicPrefix: string,
    private readonly ledgerDatabases: TestDatabase,
    readonly mint: TokenMint,
    readonly auth: AuthFake,
  ) {}

  static async start(
    settings: { readonly instances?: number; readonly environment?: Readonly<Record<string, string>> } = {},
  ): Promise<WalletsUnderTest> {
    const [databases, ledgerDatabases, mint] = await Promise.all([
      createTestDatabase({ service: 'wallet', migrations }),
      createTestDatabase({ service: 'ledger', migrations: ledgerMigrations }),
      TokenMint.open(),
    ]);
    const auth = await AuthFake.open(mint);
    const topicPrefix = `wallet-${process.pid}-${Math.random().toString(36).slice(2, 8)}.`;
    const common = {
      KAFKA_BROKERS: testKafka().brokerList,
      KAFKA_TOPIC_PREFIX: topicPrefix,
      AUTH_URL: auth.url,
      ISSUER: mint.url,
      NODE_ENV: 'test',
      LOG_LEVEL: 'error',
      SHUTDOWN_UNREADY_MS: '0',
      SERVICE_CLIENT_SECRET: 'secret-of-a-service-under-test',
    };
    const ledger = await createServiceApp({
      name: 'ledger',
      module: LedgerModule,
      environment: {
        ...common,
        DATABASE_URL: ledgerDatabases.runtimeUrl,
        CHECKPOINT_KEY: Buffer.alloc(32, 1).toString('base64'),
      },
    });
    await ledger.listen({ port: 0, host: '127.0.0.1' });
    const ledgerUrl = await ledger.getUrl();
    const apps: NestFastifyApplication[] = [];
    for (let instance = 0; instance < (settings.instances ?? 1); instance += 1) {
      apps.push(
        await createServiceApp({
          name: 'wallet',
          module: WalletModule,
          environment: {
            ...common,
            DATABASE_URL: databases.runtimeUrl,
            LEDGER_URL: ledgerUrl,
            ...walletSecrets,
            ...settings.environment,
          },
        }),
      );
    }
    return new WalletsUnderTest(apps, ledger, ledgerUrl, databases, topicPrefix, ledgerDatabases, mint, auth);
  }

  async stop(): Promise<void> {
    for (const app of this.apps) await app.close();
    await this.ledger.close();
    await this.auth.close();
    await this.mint.close();
    await this.databases.drop();
    await this.ledgerDatabases.drop();
  }

  /** One more instance, as a process of its own, which kills itself at that crash point (none: ''). */
  startProcess(port: number, crash: string): ChildProcess {
    const child = fork(new URL('../src/main.ts', import.meta.url), {
      execArgv: ['--conditions', 'payflow-source', '--import', '@payflow/testing/typescript-hooks'],
      env: {
        PATH: process.env['PATH'],
        PORT: String(port),
        AUTH_URL: this.auth.url,
        ISSUER: this.mint.url,
        LEDGER_URL: this.ledgerUrl,
        DATABASE_URL: this.databases.runtimeUrl,
        KAFKA_BROKERS: testKafka().brokerList,
        KAFKA_TOPIC_PREFIX: this.topicPrefix,
        SERVICE_CLIENT_SECRET: 'secret-of-a-service-under-test',
        LOG_LEVEL: 'error',
        PAYFLOW_CRASH: crash,
        ...walletSecrets,
      },
      stdio: 'ignore',
    });
    this.processes.add(child);
    child.once('exit', () => this.processes.delete(child));
    return child;
  }

  killProcesses(): void {
    for (const child of this.processes) child.kill('SIGKILL');
  }

  get database(): Database {
    return this.app().get(Database);
  }

  app(instance = 0): NestFastifyApplication {
    const app = this.apps[instance];
    if (app === undefined) throw new Error(`invariant: there is no instance ${instance}`);
    return app;
  }

  /** A person, as the events told of him. */
  async person(known: Partial<Parameters<typeof storeOwner>[1]> = {}): Promise<Principal> {
    const userId = newId('usr');
    await storeOwner(this.database, {
      userId,
      username: `u${userId.slice(-12)}`,
      email: null,
      phone: null,
      emailVerified: false,
      phoneVerified: false,
      verified: true,
      status: 'ACTIVE',
      ...known,
    });
    return userPrincipal(userId);
  }

  /** A wallet with so much in it. */
  async wallet(owner: Principal, amount = 0, currency = 'USD'): Promise<string> {
    const { status, body } = await this.post('/wallets', { as: owner, body: { currency } });
    if (status !== 201) throw new Error(`no wallet was opened: ${JSON.stringify(body)}`);
    const walletId = String(body['id']);
    if (amount > 0) await this.fund(walletId, amount);
    return walletId;
  }

  /** Puts money into a wallet, as a top-up does. */
  async fund(walletId: string, amount: number): Promise<void> {
    const wallet = await findWallet(this.database, walletId);
    if (wallet === undefined) throw new Error(`there is no wallet ${walletId}`);
    const account = availableAccount(wallet);
    const { currency } = wallet;
    const [result] = await this.app()
      .get(Ledger)
      .post([
        {
          reference: `fund:${newId('txn')}`,
          type: 'ADD',
          postings: [{ from: 'psp:sim:receivable', to: account, amount, currency }],
          accounts: [
            { code: 'psp:sim:receivable', currency, floor: null },
            { code: account, currency, floor: 0 },
          ],
        },
      ]);
    if (result?.status !== 'posted') throw new Error(`the wallet was not funded: ${JSON.stringify(result)}`);
  }

  /** What the ledger says is available. */
  async available(walletId: string): Promise<number> {
    const wallet = await findWallet(this.database, walletId);
    if (wallet === undefined) throw new Error(`there is no wallet ${walletId}`);
    const { balances } = await this.app()
      .get(Ledger)
      .balances([{ code: availableAccount(wallet), currency: wallet.currency }]);
    return balances[0]?.balance ?? 0;
  }

  async get(path: string, as: Principal, at = 0): Promise<Answered> {
    return await this.ask('GET', path, { as, at });
  }

  async post(path: string, asked: Asked = {}): Promise<Answered> {
    return await this.ask('POST', path, asked);
  }

  async transfer(
    as: Principal,
    fromWallet: string,
    toWallet: string,
    amount: unknown,
    asked: Asked = {},
  ): Promise<Answered> {
    return await this.post('/wallets/transfer', {
      as,
      key: newId('req'),
      ...asked,
      body: { fromWallet, toWallet, amount, ...(asked.body as object | undefined) },
    });
  }

  async ask(method: 'GET' | 'POST' | 'PUT', path: string, asked: Asked = {}): Promise<Answered> {
    const json = asked.body === undefined ? undefined : JSON.stringify(asked.body);
    const form = asked.form === undefined ? undefined : new URLSearchParams({ ...asked.form }).toString();
    const payload = json ?? form;
    const response = await this.app(asked.at).inject({
      method,
      url: path,
      headers: {
        ...(asked.as === undefined ? {} : { authorization: await this.authorization(asked.as) }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
        ...(asked.key === undefined ? {} : { 'idempotency-key': asked.key }),
        ...asked.headers,
      },
      ...(payload === undefined ? {} : { payload }),
    });
    const isJson = String(response.headers['content-type']).includes('json');
    return {
      status: response.statusCode,
      body: (isJson ? JSON.parse(response.payload) : {}) as Answered['body'],
      text: response.payload,
      headers: response.headers,
    };
  }

  async authorization(principal: Principal): Promise<string> {
    const known = this.tokens.get(JSON.stringify(principal));
    if (known !== undefined) return known;
    const fresh = await this.mint.authorization(principal);
    this.tokens.set(JSON.stringify(principal), fresh);
    return fresh;
  }
}

/** What the other parts of the service need to start. */
export const walletSecrets: Readonly<Record<string, string>> = {
  BANK_ACCOUNT_KEY: Buffer.alloc(32, 7).toString('base64'),
};
