import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';

import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  type Envelope,
  type EventDefinition,
  PAYMENT_EVENTS,
  type Principal,
  sealedCodePlace,
  USER_EVENTS,
} from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Messaging } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { createServiceApp, seal } from '@payflow/service';
import { createTestDatabase, eventually, type TestDatabase, testKafka, TokenMint } from '@payflow/testing';

import { migrations } from '../src/migrations.js';
import { NotificationModule } from '../src/notification.module.js';

export interface MessageRow {
  readonly messageId: string;
  readonly recipientId: string;
  readonly channel: string;
  readonly address: string;
  readonly kind: string;
  readonly status: string;
  readonly tries: number;
  readonly lastError: string | null;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // Looked at field by field.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

/** The notification service on a database and topics of its own. What the others tell it, the test puts on the topics. */
export class MessagesUnderTest {
  private readonly sequences = new Map<string, number>();
  private readonly processes = new Set<ChildProcess>();

  private constructor(
    readonly app: NestFastifyApplication,
    readonly databases: TestDatabase,
    readonly mint: TokenMint,
    /** Of the test: it is there while no instance is. */
    readonly database: Database,
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  static async start(settings: Readonly<Record<string, string>> = {}): Promise<MessagesUnderTest> {
    const [databases, mint] = await Promise.all([
      createTestDatabase({ service: 'notification', migrations }),
      TokenMint.open(),
    ]);
    const environment = {
      KAFKA_BROKERS: testKafka().brokerList,
      KAFKA_TOPIC_PREFIX: `mail-${randomBytes(4).toString('hex')}.`,
      AUTH_URL: mint.url,
      ISSUER: mint.url,
      NODE_ENV: 'test',
      LOG_LEVEL: 'fatal',
      SHUTDOWN_UNREADY_MS: '0',
      DEMO_MODE: 'true',
      MESSAGE_TRIES_MAX: '2',
      SERVICE_CLIENT_SECRET: 'secret-of-a-service-under-test',
      DATABASE_URL: databases.runtimeUrl,
      CODE_SEALING_KEY: randomBytes(32).toString('base64'),
      WEBHOOK_SECRET_KEY: randomBytes(32).toString('base64'),
      ...settings,
    };
    const app = await createServiceApp({ name: 'notification', module: NotificationModule, environment });
    await app.listen(0, '127.0.0.1');
    const url = databases.runtimeUrl;
    const database = await Database.connect({ url, applicationName: 'messages-under-test', poolSizeMax: 2 });
    return new MessagesUnderTest(app, databases, mint, database, environment);
  }

  async stop(): Promise<void> {
    for (const child of this.processes) child.kill('SIGKILL');
    await this.app.close();
    await this.database.close();
    await this.mint.close();
    await this.databases.drop();
  }

  /** One more instance in this process. */
  async startInstance(): Promise<NestFastifyApplication> {
    const { environment } = this;
    const app = await createServiceApp({ name: 'notification', module: NotificationModule, environment });
    await app.listen(0, '127.0.0.1');
    return app;
  }

  /** One more instance, as a process of its own, which kills itself at that crash point. */
  startProcess(crash: string): ChildProcess {
    const child = fork(new URL('../src/main.ts', import.meta.url), {
      execArgv: ['--conditions', 'payflow-source', '--import', '@payflow/testing/typescript-hooks'],
      env: { ...this.environment, PATH: process.env['PATH'], PORT: '0', PAYFLOW_CRASH: crash },
      stdio: 'ignore',
    });
    this.processes.add(child);
    child.once('exit', () => this.processes.delete(child));
    return child;
  }

  /** As the owner of the aggregate would have published it. @returns the envelope, to be sent again */
  async tell(
    definition: EventDefinition,
    aggregateId: string,
    payload: Readonly<Record<string, unknown>>,
    changes: Partial<Envelope> = {},
  ): Promise<Envelope> {
    const sequence = (this.sequences.get(aggregateId) ?? 0) + 1;
    this.sequences.set(aggregateId, sequence);
    const envelope: Envelope = {
      eventId: newId('evt'),
      type: definition.type,
      occurredAt: new Date().toISOString(),
      aggregateId,
      sequence,
      previousSequence: null,
      merchantId: null,
      correlationId: null,
      causationId: null,
      payload: definition.payload.parse(payload) as Record<string, unknown>,
      ...changes,
    };
    await this.send(definition.topic, envelope);
    return envelope;
  }

  async send(topic: string, envelope: Envelope): Promise<void> {
    const message = { key: envelope.aggregateId, value: JSON.stringify(envelope), headers: {} };
    // A topic that was just created has no leader yet. A second copy, if there is one, is the same event.
    await eventually(() => this.app.get(Messaging).cluster.send([{ topic, messages: [message] }]));
  }

  /** Somebody whose addresses are proven, known to the service when this returns. */
  async person(addresses: { readonly email?: string; readonly phone?: string }, username?: string): Promise<string> {
    const userId = newId('usr');
    await this.tell(USER_EVENTS.registered, userId, {
      userId,
      roles: ['customer'],
      username: username ?? null,
      email: addresses.email ?? null,
      phone: addresses.phone ?? null,
    });
    for (const [channel, address] of Object.entries(addresses)) {
      await this.tell(USER_EVENTS.verified, userId, { userId, channel, address, complete: true });
    }
    return userId;
  }

  /** A payment is captured: a new one, or one of before. */
  async capture(
    userId: string | null,
    changes: Readonly<Record<string, unknown>> & { readonly paymentId?: string } = {},
  ): Promise<Envelope> {
    const paymentId = changes.paymentId ?? newId('pay');
    return await this.tell(PAYMENT_EVENTS.captured, paymentId, {
      paymentId,
      merchantId: newId('mer'),
      userId,
      currency: 'USD',
      metadata: {},
      captureId: newId('cap'),
      amount: 1050,
      fee: 30,
      released: 1050,
      capturedTotal: 1050,
      final: true,
      acquirer: 'sim',
      acquirerReference: 'ref',
      ...changes,
    });
  }

  async issueCode(
    userId: string,
    to: string,
    code: string,
    changes: Readonly<Record<string, unknown>> = {},
  ): Promise<Envelope> {
    const key = Buffer.from(this.environment['CODE_SEALING_KEY'] ?? '', 'base64');
    return await this.tell(USER_EVENTS.codeIssued, userId, {
      userId,
      channel: to.includes('@') ? 'email' : 'sms',
      to,
      purpose: 'verification',
      codeSealed: seal(code, key, sealedCodePlace(to)).toString('base64'),
      expiresAt: new Date(Date.now() + 600_000).toISOString(),
      ...changes,
    });
  }

  async messagesOf(eventId: string): Promise<readonly MessageRow[]> {
    return await this.database.query<MessageRow>(
      `SELECT message_id AS "messageId", recipient_id AS "recipientId", channel, to_address AS address,
              message->>'kind' AS kind, status, tries, last_error AS "lastError"
         FROM messages WHERE event_id = $1 ORDER BY channel`,
      [eventId],
    );
  }

  async outbox(aggregateId: string): Promise<readonly Envelope[]> {
    const rows = await this.database.query<{ envelope: string }>(
      'SELECT envelope FROM outbox WHERE aggregate_id = $1 ORDER BY position',
      [aggregateId],
    );
    return rows.map(({ envelope }) => JSON.parse(envelope) as Envelope);
  }

  /** As if the delay, or the lease of somebody who died, were over. */
  async makeDue(eventId: string): Promise<void> {
    await this.database.execute(
      'UPDATE messages SET next_try_at = now(), lease_until = NULL WHERE event_id = $1 AND status = $2',
      [eventId, 'PENDING'],
    );
  }

  async ask(
    method: 'GET' | 'PUT',
    path: string,
    asked: { readonly as?: Principal; readonly body?: unknown; readonly headers?: Record<string, string> } = {},
  ): Promise<Answered> {
    const { as, body, headers } = asked;
    const response = await this.app.inject({
      method,
      url: path,
      headers: {
        ...(as === undefined ? {} : { authorization: await this.mint.authorization(as) }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
    return {
      status: response.statusCode,
      headers: response.headers,
      body: JSON.parse(response.payload === '' ? '{}' : response.payload) as unknown,
    };
  }
}
