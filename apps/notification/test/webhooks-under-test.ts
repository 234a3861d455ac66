import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';

import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Envelope, type EventDefinition, PAYMENT_EVENTS, type Principal } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Messaging } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { createServiceApp } from '@payflow/service';
import {
  createTestDatabase,
  eventually,
  merchantPrincipal,
  type TestDatabase,
  testKafka,
  TokenMint,
} from '@payflow/testing';

import { TakeEvents } from '../src/application/take-events.js';
import { migrations } from '../src/migrations.js';
import { NotificationModule } from '../src/notification.module.js';

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
}

export interface Endpoint {
  readonly id: string;
  readonly secret: string;
  readonly publicKeys: readonly string[];
}

/** For a machine that is busy with other things. */
export const PATIENT = { timeoutMs: 120_000 };
/** What is tried again is tried when a test says so, not because the machine was too busy to look at the first try in time. */
const RETRY_DELAYS_SECONDS = '300,300,1800,7200,18000,36000,50400,72000,86400,86400,86400';

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** The notification service on a database and topics of its own. What the others tell it, the test puts on the topics. */
export class WebhooksUnderTest {
  private readonly sequences = new Map<string, number>();
  private readonly processes = new Set<ChildProcess>();
  private readonly tokens = new Map<Principal, string>();

  private constructor(
    private readonly apps: NestFastifyApplication[],
    private readonly databases: TestDatabase,
    private readonly mint: TokenMint,
    /** Of the test: it is there while no instance is. */
    readonly database: Database,
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  static async start(
    settings: { readonly instances?: number; readonly environment?: Readonly<Record<string, string>> } = {},
  ): Promise<WebhooksUnderTest> {
    const [databases, mint] = await Promise.all([
      createTestDatabase({ service: 'notification', migrations }),
      TokenMint.open(),
    ]);
    const environment = {
      KAFKA_BROKERS: testKafka().brokerList,
      KAFKA_TOPIC_PREFIX: `hooks-${randomBytes(4).toString('hex')}.`,
      AUTH_URL: mint.url,
      ISSUER: mint.url,
      NODE_ENV: 'test',
      LOG_LEVEL: 'fatal',
      SHUTDOWN_UNREADY_MS: '0',
      DEMO_MODE: 'true',
      SERVICE_CLIENT_SECRET: 'secret-of-a-service-under-test',
      DATABASE_URL: databases.runtimeUrl,
      CODE_SEALING_KEY: randomBytes(32).toString('base64'),
      WEBHOOK_SECRET_KEY: randomBytes(32).toString('base64'),
      WEBHOOK_TIMEOUT_MS: '5000',
      WEBHOOK_RETRY_DELAYS_SECONDS: RETRY_DELAYS_SECONDS,
      ...settings.environment,
    };
    const url = databases.runtimeUrl;
    const database = await Database.connect({ url, applicationName: 'webhooks-under-test', poolSizeMax: 2 });
    const apps: NestFastifyApplication[] = [];
    for (let instance = 0; instance < (settings.instances ?? 1); instance += 1)
      apps.push(await createServiceApp({ name: 'notification', module: NotificationModule, environment }));
    return new WebhooksUnderTest(apps, databases, mint, database, environment);
  }

  async stop(): Promise<void> {
    for (const child of this.processes) child.kill('SIGKILL');
    await this.stopInstances();
    await this.database.close();
    await this.mint.close();
    await this.databases.drop();
  }

  /** What was told and is owed stays in the database, for processes that are started. */
  async stopInstances(): Promise<void> {
    for (const app of this.apps.splice(0)) await app.close();
  }

  get app(): NestFastifyApplication {
    const [app] = this.apps;
    if (app === undefined) throw new Error('invariant: there is an instance');
    return app;
  }

  /** One more instance, as a process of its own, which kills itself at that crash point (none: ''). */
  startProcess(crash: string): { readonly child: ChildProcess; readonly killed: Promise<NodeJS.Signals | null> } {
    const child = fork(new URL('../src/main.ts', import.meta.url), {
      execArgv: ['--conditions', 'payflow-source', '--import', '@payflow/testing/typescript-hooks'],
      env: { ...this.environment, PATH: process.env['PATH'], PORT: '0', PAYFLOW_CRASH: crash },
      stdio: 'ignore',
    });
    this.processes.add(child);
    const killed = once(child, 'exit').then(([, signal]) => {
      this.processes.delete(child);
      return signal as NodeJS.Signals | null;
    });
    return { child, killed };
  }

  merchant(): Principal & { readonly merchantId: string } {
    const merchantId = newId('mer');
    return { ...merchantPrincipal(merchantId), merchantId };
  }

  async endpoint(as: Principal, url: string, changes: Fields = {}): Promise<Endpoint> {
    const { status, body, text } = await this.post('/webhook-endpoints', {
      as,
      body: { url, eventTypes: ['*'], ...changes },
    });
    if (status !== 201) throw new Error(`no endpoint was made: ${status} ${text}`);
    return body as Endpoint;
  }

  /** As the owner of the aggregate would publish it. */
  envelope(
    definition: EventDefinition,
    merchantId: string | null,
    aggregateId: string,
    payload: Readonly<Record<string, unknown>>,
  ): Envelope {
    const sequence = (this.sequences.get(aggregateId) ?? 0) + 1;
    this.sequences.set(aggregateId, sequence);
    return {
      eventId: newId('evt'),
      type: definition.type,
      occurredAt: new Date().toISOString(),
      aggregateId,
      sequence,
      previousSequence: null,
      merchantId,
      correlationId: null,
      causationId: null,
      payload: definition.payload.parse(payload) as Record<string, unknown>,
    };
  }

  /** Through Kafka. */
  async send(topic: string, envelopes: readonly Envelope[]): Promise<void> {
    const messages = envelopes.map((envelope) => ({
      key: envelope.merchantId ?? envelope.aggregateId,
      value: JSON.stringify(envelope),
      headers: {},
    }));
    // A topic that was just created has no leader yet. A second copy, if there is one, is the same event.
    await eventually(() => this.app.get(Messaging).cluster.send([{ topic, messages }]), PATIENT);
  }

  /** What the consumers do with what Kafka brings, without waiting for it. */
  async take(envelopes: readonly Envelope[], instance = 0): Promise<void> {
    const app = this.apps[instance] ?? this.app;
    await app.get(Database).transaction((tx) => app.get(TakeEvents).take(tx, envelopes));
  }

  /** A payment of this merchant begins; with more names, it goes on. @returns their envelopes */
  async payment(merchantId: string, names: readonly ('created' | 'stuck')[] = ['created']): Promise<Envelope[]> {
    const paymentId = newId('pay');
    const envelopes = names.map((name) => this.envelope(...this.eventOf(name, merchantId, paymentId)));
    await this.take(envelopes);
    return envelopes;
  }

  eventOf(
    name: 'created' | 'stuck',
    merchantId: string,
    paymentId: string,
  ): [EventDefinition, string, string, Record<string, unknown>] {
    const subject = { paymentId, merchantId, userId: null, currency: 'USD', metadata: { orderId: 'o-1' } };
    const payload = {
      created: { ...subject, amount: 1050, reference: null },
      stuck: { ...subject, operationId: newId('att'), operation: 'capture', acquirer: 'sim', inquiries: 7 },
    }[name];
    return [PAYMENT_EVENTS[name], merchantId, paymentId, payload];
  }

  /** Many payments begin at once. */
  begun(merchantId: string, count: number): readonly Envelope[] {
    return Array.from({ length: count }, () => this.envelope(...this.eventOf('created', merchantId, newId('pay'))));
  }

  /** The same, taken in. @returns the ids of their events */
  async payments(merchantId: string, count: number): Promise<readonly string[]> {
    const envelopes = this.begun(merchantId, count);
    await this.take(envelopes);
    return envelopes.map(({ eventId }) => eventId);
  }

  /** An event that has come in, as the instance that is gone has left it: owed to this endpoint. */
  async owe(endpointId: string, eventId: string): Promise<void> {
    await this.database.execute(
      `WITH event AS (
         INSERT INTO events (event_id, merchant_id, type, aggregate_id, sequence, body, occurred_at)
         SELECT $2, merchant_id, 'payment.created', 'pay_of_a_test', 1, '{"id":"' || $2 || '"}', now()
           FROM webhook_endpoints WHERE endpoint_id = $1 RETURNING *)
       INSERT INTO webhook_deliveries (delivery_id, endpoint_id, event_id, event_type, aggregate_id, sequence, due_at)
       SELECT $3, $1, event_id, type, aggregate_id, sequence, now() FROM event`,
      [endpointId, eventId, newId('del')],
    );
  }

  async delivery(endpointId: string, eventId: string): Promise<Fields> {
    const [row] = await this.database.query<Fields>(
      `SELECT delivery_id AS id, status, tries, due_at AS "dueAt" FROM webhook_deliveries
        WHERE endpoint_id = $1 AND event_id = $2`,
      [endpointId, eventId],
    );
    if (row === undefined) throw new Error(`nothing is owed of ${eventId}`);
    return row;
  }

  /** How many deliveries of an endpoint there are, by status. */
  async standings(endpointId: string): Promise<Fields> {
    const rows = await this.database.query<{ status: string; count: number }>(
      'SELECT status, count(*)::int AS count FROM webhook_deliveries WHERE endpoint_id = $1 GROUP BY status',
      [endpointId],
    );
    return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
  }

  /** Ends the lease of whoever has died with deliveries of this endpoint. */
  async endLease(endpointId: string): Promise<void> {
    await this.database.execute(
      `UPDATE webhook_deliveries SET due_at = now(), in_flight_until = now() WHERE endpoint_id = $1 AND status = 'PENDING'`,
      [endpointId],
    );
  }

  /** Lets time pass for an endpoint: what was to happen then happens that much earlier. What is under way stays so. */
  async passTime(endpointId: string, seconds: number): Promise<void> {
    await this.database.execute(
      `UPDATE webhook_deliveries SET due_at = due_at - make_interval(secs => $2)
        WHERE endpoint_id = $1 AND status = 'PENDING' AND (in_flight_until IS NULL OR in_flight_until <= now())`,
      [endpointId, seconds],
    );
    await this.database.execute(
      `UPDATE webhook_endpoints SET failing_since = failing_since - make_interval(secs => $2),
              paused_until = paused_until - make_interval(secs => $2)
        WHERE endpoint_id = $1`,
      [endpointId, seconds],
    );
  }

  /** Tells Postgres what the tables are like now, as its autovacuum does by and by. */
  async analyze(): Promise<void> {
    const owner = await Database.connect({ url: this.databases.ownerUrl, applicationName: 'analyze', poolSizeMax: 1 });
    await owner.execute('ANALYZE');
    await owner.close();
  }

  async outbox(aggregateId: string): Promise<readonly Envelope[]> {
    const rows = await this.database.query<{ envelope: string }>(
      'SELECT envelope FROM outbox WHERE aggregate_id = $1 ORDER BY position',
      [aggregateId],
    );
    return rows.map(({ envelope }) => JSON.parse(envelope) as Envelope);
  }

  async get(path: string, as: Principal): Promise<Answered> {
    return await this.ask('GET', path, { as });
  }

  async post(path: string, asked: Asked): Promise<Answered> {
    return await this.ask('POST', path, asked);
  }

  async ask(method: Method, path: string, { as, body, key, headers }: Asked): Promise<Answered> {
    const response = await this.app.inject({
      method,
      url: path,
      headers: {
        ...(as === undefined ? {} : { authorization: await this.authorization(as) }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
    const { payload: text } = response;
    const isJson = String(response.headers['content-type']).includes('json');
    return {
      status: response.statusCode,
      body: (isJson ? JSON.parse(text) : {}) as Fields,
      text,
      headers: response.headers,
    };
  }

  private async authorization(principal: Principal): Promise<string> {
    const known = this.tokens.get(principal);
    if (known !== undefined) return known;
    const fresh = await this.mint.authorization(principal);
    this.tokens.set(principal, fresh);
    return fresh;
  }
}
