import { Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PAYMENT_EVENTS, type PaymentEventName, type PaymentEventPayload } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { MESSAGING_DDL, MessagingModule, messagingConfigFields, Outbox, type OutgoingEvent } from '@payflow/messaging';
import { Database, type Tx } from '@payflow/postgres';
import { baseConfigFields, createServiceApp, IDEMPOTENCY_DDL, ServiceModule } from '@payflow/service';
import { createTestDatabase, type TestDatabase } from '@payflow/testing';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { z } from 'zod';

/** One event of a payment, before it has an envelope. */
export type PaymentEvent = {
  readonly [Name in PaymentEventName]: { readonly name: Name; readonly payload: PaymentEventPayload<Name> };
}[PaymentEventName];

export interface EmittedEvent {
  readonly event: PaymentEvent;
  readonly occurredAt?: Date;
}

@Module({
  imports: [
    ServiceModule.forRoot({
      name: 'payment',
      configSchema: z.object({ ...baseConfigFields, ...messagingConfigFields }),
      database: true,
    }),
    MessagingModule.forRoot({
      service: 'payment',
      ownerUrls: {},
      serviceToken: () => Promise.reject(new Error('it asks nobody')),
    }),
  ],
})
class PaymentEventSourceModule {}

class CreateMessaging1763715600001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(MESSAGING_DDL);
    await runner.query(IDEMPOTENCY_DDL);
  }
  async down(): Promise<void> {
    await Promise.resolve();
  }
}

/**
 * Stands where the payment service stands: a real outbox with its relay, and the real event API. What it tells is made up
 * by the test, and checked against the contract as it is published.
 */
export class PaymentEventSource {
  private constructor(
    private readonly app: NestFastifyApplication,
    private readonly databases: TestDatabase,
    /** For PAYMENT_URL. */
    readonly url: string,
  ) {}

  static async start(environment: Readonly<Record<string, string>>): Promise<PaymentEventSource> {
    const databases = await createTestDatabase({ service: 'payment', migrations: [CreateMessaging1763715600001] });
    const app = await createServiceApp({
      name: 'payment',
      module: PaymentEventSourceModule,
      environment: {
        SERVICE_CLIENT_SECRET: 'secret-of-the-event-source',
        NODE_ENV: 'test',
        LOG_LEVEL: 'fatal',
        SHUTDOWN_UNREADY_MS: '0',
        ...environment,
        DATABASE_URL: databases.runtimeUrl,
      },
    });
    await app.listen(0, '127.0.0.1');
    return new PaymentEventSource(app, databases, await app.getUrl());
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.databases.drop();
  }

  /** Publishes a payment's events in order, each once. */
  async emit(events: readonly EmittedEvent[]): Promise<void> {
    await this.app.get(Database).transaction(async (tx) => {
      await this.app.get(Outbox).publish(tx, events.map(outgoing));
    });
  }

  /** Publishes the events of several payments, but sends them in another order, and some of them twice. */
  async emitScrambled(events: readonly EmittedEvent[], seed: number): Promise<void> {
    await this.app.get(Database).transaction(async (tx) => {
      await this.app.get(Outbox).publish(tx, events.map(outgoing));
      await scramble(tx, seed);
    });
  }
}

const outgoing = ({ event: { name, payload }, occurredAt }: EmittedEvent): OutgoingEvent => ({
  definition: PAYMENT_EVENTS[name],
  aggregateId: payload.paymentId,
  merchantId: payload.merchantId,
  key: payload.merchantId,
  payload,
  occurredAt: occurredAt ?? new Date(),
});

/** Nothing of this transaction has been seen by the relay yet: it sends what it will find, in the order of `position`. */
const scramble = async (tx: Tx, seed: number): Promise<void> => {
  await tx.execute('SELECT setseed($1)', [seed]);
  await tx.execute(`
    WITH taken AS (DELETE FROM outbox WHERE published_at IS NULL RETURNING *)
    INSERT INTO outbox (topic, key, headers, envelope, aggregate_id, sequence)
    SELECT topic, key, headers, envelope, CASE copy WHEN 1 THEN aggregate_id END, CASE copy WHEN 1 THEN sequence END
      FROM taken CROSS JOIN generate_series(1, 2) AS copy
     WHERE copy = 1 OR random() < 0.4
     ORDER BY random()`);
};

// A payment's events, as tests tell them

export class PaymentStory {
  readonly paymentId = newId('pay');
  readonly events: PaymentEvent[] = [];

  constructor(
    readonly merchantId: string,
    readonly currency = 'USD',
  ) {}

  created(amount: number): this {
    return this.told({ name: 'created', payload: { ...this.subject, amount, reference: null } });
  }

  authorized(amount: number): this {
    return this.told({
      name: 'authorized',
      payload: {
        ...this.subject,
        amount,
        acquirer: 'sim',
        acquirerReference: `A-${this.paymentId}`,
        attemptId: newId('att'),
        expiresAt: '2027-01-01T00:00:00.000Z',
        paymentMethod: { type: 'card', brand: 'visa', last4: '4242' },
      },
    });
  }

  captured(amount: number, fee: number, released = amount): this {
    return this.told({
      name: 'captured',
      payload: {
        ...this.subject,
        captureId: newId('cap'),
        amount,
        fee,
        released,
        capturedTotal: amount,
        final: true,
        acquirer: 'sim',
        acquirerReference: `C-${this.paymentId}`,
      },
    });
  }

  refunded(amount: number): this {
    return this.told({
      name: 'refunded',
      payload: {
        ...this.subject,
        refundId: newId('ref'),
        amount,
        refundedTotal: amount,
        reason: null,
        acquirer: 'sim',
        acquirerReference: `R-${this.paymentId}`,
      },
    });
  }

  canceled(released: number, acquirer: string | null = 'sim'): this {
    return this.told({ name: 'canceled', payload: { ...this.subject, released, acquirer, reason: null } });
  }

  emitted(occurredAt?: Date): readonly EmittedEvent[] {
    return this.events.map((event) => ({ event, ...(occurredAt === undefined ? {} : { occurredAt }) }));
  }

  private get subject() {
    const { paymentId, merchantId, currency } = this;
    return { paymentId, merchantId, userId: null, currency, metadata: { orderId: 'o-1' } };
  }

  private told(event: PaymentEvent): this {
    this.events.push(event);
    return this;
  }
}
