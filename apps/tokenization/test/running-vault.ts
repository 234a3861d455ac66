import { randomBytes } from 'node:crypto';

import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Principal, TokenResponse } from '@payflow/contracts';
import { type Id, newId } from '@payflow/kernel';
import { createServiceApp } from '@payflow/service';
import { createTestDatabase, servicePrincipal, type TestDatabase, testKafka, TokenMint } from '@payflow/testing';
import pg from 'pg';

import { migrations } from '../src/migrations.js';
import { TokenizationModule } from '../src/tokenization.module.js';

export interface Answered<Body> {
  readonly status: number;
  readonly body: Body;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface ProblemBody {
  readonly code: string;
  readonly reason?: string;
  readonly errors?: readonly { readonly pointer: string; readonly code: string }[];
}

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The service on a database of its own, and the keys it was started with. */
export class RunningVault {
  readonly payment = servicePrincipal('payment');

  private constructor(
    readonly app: NestFastifyApplication,
    readonly database: TestDatabase,
    readonly mint: TokenMint,
    readonly environment: Readonly<Record<string, string>>,
  ) {}

  static async start(settings: Readonly<Record<string, string>>): Promise<RunningVault> {
    const database = await createTestDatabase({ service: 'tokenization', migrations });
    const mint = await TokenMint.open();
    const environment = {
      DATABASE_URL: database.runtimeUrl,
      KAFKA_BROKERS: testKafka().brokerList,
      SERVICE_CLIENT_SECRET: 'secret-of-the-vault',
      AUTH_URL: mint.url,
      LOG_LEVEL: 'fatal',
      NODE_ENV: 'test',
      VAULT_KEK: randomBytes(32).toString('base64'),
      VAULT_FINGERPRINT_KEY: randomBytes(32).toString('base64'),
      ...settings,
    };
    return new RunningVault(await appOn(environment), database, mint, environment);
  }

  /** Another instance on the same database; the caller closes it. */
  async again(settings: Readonly<Record<string, string>> = {}): Promise<NestFastifyApplication> {
    return await appOn({ ...this.environment, ...settings });
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.mint.close();
    await this.database.drop();
  }

  async call<Body = TokenResponse>(as: Principal, path: string, call: Call = {}): Promise<Answered<Body>> {
    const response = await this.app.inject({
      method: call.method ?? (call.body === undefined ? 'GET' : 'POST'),
      url: path,
      headers: { authorization: await this.mint.authorization(as), ...call.headers },
      ...(call.body === undefined ? {} : { payload: call.body as object }),
    });
    const text = response.body;
    return { status: response.statusCode, text, headers: response.headers, body: JSON.parse(text) as Body };
  }

  /** A token of this caller. */
  async token(as: Principal, body: Readonly<Record<string, unknown>> = {}): Promise<TokenResponse> {
    const answer = await this.call(as, '/tokens', { body: { card: goodCard(), ...body } });
    if (answer.status !== 201) throw new Error(answer.text);
    return answer.body;
  }

  async forward<Body>(
    tokenId: string,
    merchantId: string,
    over: Record<string, unknown> = {},
  ): Promise<Answered<Body>> {
    return await this.call<Body>(this.payment, '/internal/forward', {
      body: forwardRequest(tokenId, merchantId, over),
    });
  }

  /** As the owner of the database, who may look at everything. */
  async sql<Row extends object>(text: string, parameters: unknown[] = []): Promise<Row[]> {
    return await rowsAt<Row>(this.database.ownerUrl, text, parameters);
  }

  /** As the role the service runs as. */
  async asService(text: string): Promise<object[]> {
    return await rowsAt(this.database.runtimeUrl, text, []);
  }
}

const rowsAt = async <Row extends object>(url: string, text: string, parameters: unknown[]): Promise<Row[]> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text, parameters)).rows;
  } finally {
    await client.end();
  }
};

const appOn = async (environment: Readonly<Record<string, string>>): Promise<NestFastifyApplication> =>
  await createServiceApp({ name: 'tokenization', module: TokenizationModule, environment });

export const goodCard = (over: Record<string, unknown> = {}) => ({
  number: '4242424242424242',
  expMonth: 12,
  expYear: 2034,
  cvc: '987',
  holderName: 'Ada Lovelace',
  ...over,
});

export const forwardRequest = (
  tokenId: string,
  merchantId: string,
  over: Record<string, unknown> = {},
): Record<string, unknown> & { readonly attemptId: Id<'att'> } => {
  const attemptId = newId('att');
  return {
    tokenId,
    paymentId: newId('pay'),
    attemptId,
    merchantId,
    acquirer: 'sim',
    path: '/authorizations',
    body: {
      reference: attemptId,
      amount: 1000,
      currency: 'USD',
      card: {
        number: '{{card.number}}',
        expMonth: '{{card.expMonth}}',
        expYear: '{{card.expYear}}',
        cvc: '{{card.cvc}}',
        holderName: '{{card.holderName}}',
      },
    },
    timeoutMs: 5000,
    ...over,
  };
};
