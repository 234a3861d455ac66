import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Principal } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { createServiceApp } from '@payflow/service';
import {
  createTestDatabase,
  ledgerClientPrincipal,
  type TestDatabase,
  testKafka,
  TokenMint,
  userPrincipal,
} from '@payflow/testing';

import { LedgerModule } from '../src/ledger.module.js';
import { migrations } from '../src/migrations.js';

/** Signs the checkpoints of ledgers under test. */
export const CHECKPOINT_KEY = Buffer.alloc(32, 7).toString('base64');

export interface Answered {
  readonly status: number;
  // Answers are looked at field by field, by expectations.
  readonly body: Record<string, unknown> & { readonly [key: string]: unknown };
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface Asked {
  readonly as?: Principal;
  readonly body?: unknown;
  readonly rawBody?: string;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The whole service on a database of its own, asked as whoever the test wants to be. */
export class LedgerUnderTest {
  private readonly tokens = new Map<string, string>();

  private constructor(
    readonly app: NestFastifyApplication,
    readonly database: Database,
    readonly databases: TestDatabase,
    private readonly mint: TokenMint,
    private readonly ownMint: boolean,
  ) {}

  /** With settings of the test's own, and the mint of another service it talks to. */
  static async start(
    environment: Readonly<Record<string, string>> = {},
    theirMint?: TokenMint,
  ): Promise<LedgerUnderTest> {
    const databases = await createTestDatabase({ service: 'ledger', migrations });
    const mint = theirMint ?? (await TokenMint.open());
    const app = await createServiceApp({
      name: 'ledger',
      module: LedgerModule,
      environment: {
        DATABASE_URL: databases.runtimeUrl,
        KAFKA_BROKERS: testKafka().brokerList,
        KAFKA_TOPIC_PREFIX: `ledger-${process.pid}-${Math.random().toString(36).slice(2, 8)}.`,
        AUTH_URL: mint.url,
        ISSUER: mint.url,
        SERVICE_CLIENT_SECRET: 'secret-of-the-ledger-under-test',
        CHECKPOINT_KEY,
        NODE_ENV: 'test',
        LOG_LEVEL: 'error',
        SHUTDOWN_UNREADY_MS: '0',
        ...environment,
      },
    });
    return new LedgerUnderTest(app, app.get(Database), databases, mint, theirMint === undefined);
  }

  async stop(): Promise<void> {
    await this.app.close();
    if (this.ownMint) await this.mint.close();
    await this.databases.drop();
  }

  async get(path: string, as: Principal = ADMIN): Promise<Answered> {
    return await this.ask('GET', path, { as });
  }

  async post(path: string, body: unknown, asked: Omit<Asked, 'body'> = {}): Promise<Answered> {
    return await this.ask('POST', path, { as: LEDGER_CLIENT, ...asked, body });
  }

  async ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, asked: Asked = {}): Promise<Answered> {
    const response = await this.app.inject({
      method,
      url: path,
      headers: {
        ...(asked.as === undefined ? {} : { authorization: await this.authorization(asked.as) }),
        ...(asked.body === undefined && asked.rawBody === undefined ? {} : { 'content-type': 'application/json' }),
        ...(asked.key === undefined ? {} : { 'idempotency-key': asked.key }),
        ...asked.headers,
      },
      ...(asked.rawBody === undefined ? {} : { payload: asked.rawBody }),
      ...(asked.body === undefined ? {} : { payload: JSON.stringify(asked.body) }),
    });
    const body = (response.payload === '' ? {} : JSON.parse(response.payload)) as Answered['body'];
    return { status: response.statusCode, body, text: response.payload, headers: response.headers };
  }

  /** Opens an account and returns its id. */
  async openAccount(
    code: string,
    options: { readonly currency?: string; readonly floor?: number } = {},
  ): Promise<string> {
    const { status, body } = await this.post('/ledger/accounts', { code, currency: 'USD', ...options });
    if (status !== 201) throw new Error(`the account ${code} was not opened: ${JSON.stringify(body)}`);
    return String(body['accountId']);
  }

  async balanceOf(accountId: string, asOf?: string): Promise<unknown> {
    const query = asOf === undefined ? '' : `?asOf=${asOf}`;
    return (await this.get(`/ledger/accounts/${accountId}/balance${query}`)).body['balance'];
  }

  async countRows(table: 'transactions' | 'entries' | 'accounts'): Promise<bigint> {
    const [row] = await this.database.query<{ count: bigint }>(`SELECT count(*) AS count FROM ${table}`);
    return row?.count ?? 0n;
  }

  private async authorization(principal: Principal): Promise<string> {
    const known = this.tokens.get(JSON.stringify(principal));
    if (known !== undefined) return known;
    const fresh = await this.mint.authorization(principal);
    this.tokens.set(JSON.stringify(principal), fresh);
    return fresh;
  }
}

export const LEDGER_CLIENT = ledgerClientPrincipal();
export const ADMIN = userPrincipal('usr_admin', 'admin');

export interface PostingBody {
  readonly from: string;
  readonly to: string;
  readonly amount: number;
  readonly currency: string;
}

export const move = (from: string, to: string, amount: number, currency = 'USD'): PostingBody => ({
  from,
  to,
  amount,
  currency,
});

export const transaction = (reference: string, ...postings: readonly PostingBody[]) => ({ reference, postings });
