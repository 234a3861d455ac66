import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  type EventDefinition,
  type FraudDecisionRequest,
  type FraudRulesResponse,
  PAYMENT_EVENTS,
  type Principal,
} from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Outbox } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { createServiceApp } from '@payflow/service';
import {
  createTestDatabase,
  servicePrincipal,
  type TestDatabase,
  testKafka,
  TokenMint,
  userPrincipal,
} from '@payflow/testing';

import { FraudModule } from '../src/fraud.module.js';
import { migrations } from '../src/migrations.js';

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
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of several instances, the one that is asked. */
  readonly at?: number;
}

export const PAYMENT = servicePrincipal('payment');
export const RISK = userPrincipal(newId('usr'), 'risk');
export const FINANCE = userPrincipal(newId('usr'), 'finance');
/** The first file of a run also builds the template database. */
export const START_TIMEOUT_MS = 240_000;
/** A consumer joins its group within seconds, on a busy broker within a minute. */
export const EVENTS_PATIENCE = { timeoutMs: 120_000 };
export const EVENTS_TIMEOUT_MS = 300_000;

const SETTINGS = {
  NODE_ENV: 'test',
  LOG_LEVEL: 'fatal',
  SHUTDOWN_UNREADY_MS: '0',
  SERVICE_CLIENT_SECRET: 'secret-of-the-fraud-service-under-test',
};

/** A payment that nobody has seen before, as the payment service asks about it. */
export const payment = (
  over: Partial<Omit<FraudDecisionRequest, 'method'>> & {
    readonly method?: Partial<FraudDecisionRequest['method']>;
  } = {},
): FraudDecisionRequest => ({
  subject: 'payment',
  subjectId: newId('pay'),
  merchantId: newId('mer'),
  userId: newId('usr'),
  amount: 1_000,
  currency: 'USD',
  ip: null,
  email: null,
  at: new Date().toISOString(),
  ...over,
  method: {
    type: 'card',
    brand: 'visa',
    bin: '424242',
    last4: '4242',
    fingerprint: `fp_${newId('tok')}`,
    country: 'US',
    walletId: null,
    ...over.method,
  },
});

/** The card that the default rules leave to people. */
export const DOUBTFUL = { bin: '400000', last4: '9235' } as const;

/** The fraud service over HTTP, in one instance or several on one database, with a real broker. */
export class FraudUnderTest {
  private readonly tokens = new Map<Principal, string>();

  private constructor(
    readonly apps: readonly NestFastifyApplication[],
    readonly databases: TestDatabase,
    readonly mint: TokenMint,
    readonly topicPrefix: string,
  ) {}

  static async start(
    settings: { readonly instances?: number; readonly environment?: Readonly<Record<string, string>> } = {},
  ): Promise<FraudUnderTest> {
    const [databases, mint] = await Promise.all([
      createTestDatabase({ service: 'fraud', migrations }),
      TokenMint.open(),
    ]);
    const topicPrefix = `fraud-${String(process.pid)}-${newId('req').slice(-6)}.`;
    const apps: NestFastifyApplication[] = [];
    for (let instance = 0; instance < (settings.instances ?? 1); instance += 1) {
      const environment = {
        ...SETTINGS,
        DATABASE_URL: databases.runtimeUrl,
        KAFKA_BROKERS: testKafka().brokerList,
        KAFKA_TOPIC_PREFIX: topicPrefix,
        AUTH_URL: mint.url,
        ISSUER: mint.url,
        ...settings.environment,
      };
      const app = await createServiceApp({ name: 'fraud', module: FraudModule, environment });
      await app.init();
      apps.push(app);
    }
    return new FraudUnderTest(apps, databases, mint, topicPrefix);
  }

  async stop(): Promise<void> {
    for (const app of this.apps) await app.close();
    await this.mint.close();
    await this.databases.drop();
  }

  app(instance = 0): NestFastifyApplication {
    const app = this.apps[instance];
    if (app === undefined) throw new Error(`invariant: there is no instance ${String(instance)}`);
    return app;
  }

  get database(): Database {
    return this.app().get(Database);
  }

  async get(path: string, as: Principal = RISK): Promise<Answered> {
    return await this.ask('GET', path, { as });
  }

  async post(path: string, body: unknown, asked: Asked = {}): Promise<Answered> {
    return await this.ask('POST', path, { as: RISK, ...asked, body });
  }

  /** As the payment service asks, at one of the instances. */
  async judge(request: FraudDecisionRequest, at = 0): Promise<Answered> {
    return await this.ask('POST', '/internal/fraud/decisions', { as: PAYMENT, body: request, at });
  }

  /** Sets rules beside the default ones. */
  async setRules(
    rules: readonly unknown[],
    thresholds: FraudRulesResponse['thresholds'] = { review: 50, block: 90 },
  ): Promise<Answered> {
    const answer = await this.ask('PUT', '/fraud/rules', { as: RISK, key: newId('req'), body: { rules, thresholds } });
    if (answer.status !== 200) throw new Error(answer.text);
    return answer;
  }

  async ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, asked: Asked = {}): Promise<Answered> {
    const response = await this.app(asked.at).inject({
      method,
      url: path,
      headers: {
        ...(asked.as === undefined ? {} : { authorization: await this.authorization(asked.as) }),
        ...(asked.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(asked.key === undefined ? {} : { 'idempotency-key': asked.key }),
        ...asked.headers,
      },
      ...(asked.body === undefined
        ? {}
        : { payload: typeof asked.body === 'string' ? asked.body : JSON.stringify(asked.body) }),
    });
    const isJson = String(response.headers['content-type']).includes('json') && response.payload !== '';
    return {
      status: response.statusCode,
      body: (isJson ? JSON.parse(response.payload) : {}) as Fields,
      text: response.payload,
      headers: response.headers,
    };
  }

  /** Events of a payment, on Kafka as the payment service would put them there. */
  async tell(request: FraudDecisionRequest, ...events: readonly PaymentNews[]): Promise<void> {
    const merchantId = request.merchantId ?? '';
    await this.database.transaction(async (tx) => {
      await this.app()
        .get(Outbox)
        .publish(
          tx,
          events.map(({ definition, payload, at }) => ({
            definition,
            aggregateId: request.subjectId,
            merchantId,
            key: merchantId,
            occurredAt: at ?? new Date(),
            payload: {
              paymentId: request.subjectId,
              merchantId,
              userId: request.userId,
              currency: request.currency,
              metadata: {},
              amount: request.amount,
              ...payload,
            },
          })),
        );
    });
  }

  /** What was published of a decision, in order. */
  async published(decisionId: string): Promise<readonly Fields[]> {
    const rows = await this.database.query<{ event: Fields }>(
      'SELECT envelope::jsonb AS event FROM outbox WHERE aggregate_id = $1 ORDER BY sequence',
      [decisionId],
    );
    return rows.map(({ event }) => event);
  }

  private async authorization(principal: Principal): Promise<string> {
    const known = this.tokens.get(principal);
    if (known !== undefined) return known;
    const fresh = await this.mint.authorization(principal);
    this.tokens.set(principal, fresh);
    return fresh;
  }
}

export interface PaymentNews {
  readonly definition: EventDefinition;
  readonly payload: Fields;
  readonly at?: Date;
}

export const declined = (at?: Date): PaymentNews => ({
  definition: PAYMENT_EVENTS.failed,
  payload: {
    acquirer: 'sim',
    attemptId: newId('att'),
    code: 'card_declined',
    declineCode: 'do_not_honor',
    message: 'The card was declined.',
  },
  ...(at === undefined ? {} : { at }),
});

/** Failed by our own word: no acquirer was asked. */
export const blockedByUs: PaymentNews = {
  definition: PAYMENT_EVENTS.failed,
  payload: { acquirer: null, attemptId: null, code: 'fraud_blocked', declineCode: null, message: 'Blocked.' },
};

export const captured: PaymentNews = {
  definition: PAYMENT_EVENTS.captured,
  payload: {
    captureId: newId('cap'),
    fee: 30,
    released: 1_000,
    capturedTotal: 1_000,
    final: true,
    acquirer: 'sim',
    acquirerReference: 'ref',
  },
};

export const disputed: PaymentNews = {
  definition: PAYMENT_EVENTS.disputeOpened,
  payload: {
    disputeId: newId('dp'),
    acquirer: 'sim',
    acquirerReference: 'dp',
    fee: 1_500,
    reason: 'fraudulent',
    evidenceDueBy: new Date(Date.now() + 86_400_000).toISOString(),
  },
};
