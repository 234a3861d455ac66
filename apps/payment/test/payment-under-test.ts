import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { envelopeSchema, type Envelope, EVENT_CATALOGUE, type Principal } from '@payflow/contracts';
import { type MerchantId, newId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { createServiceApp } from '@payflow/service';
import {
  createTestDatabase,
  merchantPrincipal,
  type TestDatabase,
  testKafka,
  TokenMint,
  userPrincipal,
} from '@payflow/testing';

import { ExpireAuthorizations } from '../src/application/expire-authorizations.js';
import { compareReadModels } from '../src/application/rebuild.js';
import { RecoverOrders } from '../src/application/recover-orders.js';
import { WatchReviews } from '../src/application/watch-reviews.js';
import { SweepDisputes } from '../src/application/sweep-disputes.js';
import { WatchDisputes } from '../src/application/watch-disputes.js';
import { MIGRATIONS } from '../src/migrations/migrations.js';
import { PaymentModule } from '../src/payment.module.js';
import { AcquirerFake } from './acquirer-fake.js';
import { FraudFake } from './fraud-fake.js';
import { LedgerFake } from './ledger-fake.js';
import { VaultFake } from './vault-fake.js';

export interface Answered {
  readonly status: number;
  /** Looked at member by member, by expectations. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly headers: Headers;
}

export interface Asked {
  readonly as: Principal;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The first file of a run also builds the template database. */
export const START_TIMEOUT_MS = 60_000;

/** With which the acquirer signs what it sends. */
export const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;

export const ADMIN = userPrincipal(newId('usr'), 'admin');

/** A merchant of its own for each test, so that tests share one service. */
export interface Merchant {
  readonly id: MerchantId;
  readonly principal: Principal;
  /** A reusable card that is approved. */
  readonly token: string;
}

/** The service over HTTP on a database of its own; the vault, the acquirer and the ledger are contract fakes on loopback. */
export class PaymentUnderTest {
  private readonly tokens = new Map<Principal, string>();

  private constructor(
    readonly app: NestFastifyApplication,
    /** Its settings, for another instance beside it. */
    readonly environment: Readonly<Record<string, string>>,
    readonly url: string,
    readonly database: Database,
    readonly databases: TestDatabase,
    readonly mint: TokenMint,
    readonly acquirer: AcquirerFake,
    readonly vault: VaultFake,
    readonly ledger: LedgerFake,
    /** Nobody is judged unless the test started with it. */
    readonly fraud: FraudFake,
  ) {}

  /** With fraud, as most installations have it. */
  static async startWithFraud(settings: Readonly<Record<string, string>> = {}): Promise<PaymentUnderTest> {
    const fraud = new FraudFake();
    return await PaymentUnderTest.start({ FRAUD_URL: await fraud.server.listen(), ...settings }, {}, fraud);
  }

  /**
   * @param settings that differ from those of the other tests
   * @param others acquirers besides `sim`, by name; whoever made them closes them
   */
  static async start(
    settings: Readonly<Record<string, string>> = {},
    others: Readonly<Record<string, AcquirerFake>> = {},
    fraud = new FraudFake(),
  ): Promise<PaymentUnderTest> {
    const acquirer = new AcquirerFake();
    const vault = new VaultFake(acquirer);
    const ledger = new LedgerFake();
    const [databases, mint, acquirerUrl, vaultUrl, ledgerUrl] = await Promise.all([
      createTestDatabase({ service: 'payment', migrations: MIGRATIONS }),
      TokenMint.open(),
      acquirer.server.listen(),
      vault.server.listen(),
      ledger.server.listen(),
    ]);
    const acquirers: Record<string, string> = { sim: `${acquirerUrl}/acquirers/sim` };
    for (const [name, other] of Object.entries(others)) {
      vault.others.set(name, other);
      acquirers[name] = `${await other.server.listen()}/acquirers/sim`;
    }
    const environment = {
      DATABASE_URL: databases.runtimeUrl,
      KAFKA_BROKERS: testKafka().brokerList,
      KAFKA_TOPIC_PREFIX: `payment-${process.pid}-${Math.random().toString(36).slice(2, 8)}.`,
      AUTH_URL: mint.url,
      ISSUER: mint.url,
      SERVICE_CLIENT_SECRET: 'secret-of-the-payment-under-test',
      TOKENIZATION_URL: vaultUrl,
      LEDGER_URL: ledgerUrl,
      ACQUIRERS: JSON.stringify(acquirers),
      ACQUIRER_WEBHOOK_SECRETS: JSON.stringify({ sim: WEBHOOK_SECRET }),
      ENABLED_CURRENCIES: 'USD,EUR,JPY,BHD',
      RECOVERY_DELAYS_SECONDS: '86400,86400,86400,86400,86400',
      NODE_ENV: 'test',
      LOG_LEVEL: 'fatal',
      SHUTDOWN_UNREADY_MS: '0',
      ...settings,
    };
    const app = await createServiceApp({ name: 'payment', module: PaymentModule, environment });
    // Timers run when a test says so, not by their own clock.
    await app.get(RecoverOrders).beforeApplicationShutdown();
    await app.get(ExpireAuthorizations).beforeApplicationShutdown();
    await app.get(WatchDisputes).beforeApplicationShutdown();
    await app.get(SweepDisputes).beforeApplicationShutdown();
    await app.get(WatchReviews).beforeApplicationShutdown();
    await app.listen(0, '127.0.0.1');
    const url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
    return new PaymentUnderTest(
      app,
      environment,
      url,
      app.get(Database),
      databases,
      mint,
      acquirer,
      vault,
      ledger,
      fraud,
    );
  }

  async stop(): Promise<void> {
    await this.app.close();
    await Promise.all([
      this.acquirer.server.close(),
      this.vault.server.close(),
      this.ledger.server.close(),
      this.fraud.close(),
      this.mint.close(),
    ]);
    await this.databases.drop();
  }

  merchant(): Merchant {
    const id = newId('mer');
    return { id, principal: merchantPrincipal(id), token: this.vault.token(id) };
  }

  async get(path: string, as: Principal): Promise<Answered> {
    return await this.ask('GET', path, undefined, { as });
  }

  async post(path: string, body: unknown, asked: Asked): Promise<Answered> {
    return await this.ask('POST', path, body, asked);
  }

  async ask(method: string, path: string, body: unknown, asked: Asked): Promise<Answered> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: await this.authorization(asked.as),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(asked.key === undefined ? {} : { 'idempotency-key': asked.key }),
        ...asked.headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const parsed = text.startsWith('{') ? (JSON.parse(text) as Readonly<Record<string, unknown>>) : {};
    return { status: response.status, body: parsed, text, headers: response.headers };
  }

  /** An authorized payment of 1000 USD unless the test wants another; fresh key, so never a duplicate. */
  async authorize(merchant: Merchant, members: Readonly<Record<string, unknown>> = {}): Promise<Answered> {
    const body = {
      amount: 1000,
      currency: 'USD',
      paymentMethod: { type: 'card', token: merchant.token },
      ...members,
    };
    return await this.post('/payments/authorize', body, { as: merchant.principal, key: freshKey() });
  }

  async authorizedId(merchant: Merchant, members: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const answer = await this.authorize(merchant, members);
    if (answer.status !== 201) throw new Error(`given: ${answer.text}`);
    return answer.body['paymentId'] as string;
  }

  async capturedId(merchant: Merchant, members: Readonly<Record<string, unknown>> = {}): Promise<string> {
    return await this.authorizedId(merchant, { capture: true, ...members });
  }

  /** What was published of a payment, in order, each checked against its contract. */
  async published(paymentId: string): Promise<readonly Envelope[]> {
    const rows = await this.database.query<{ envelope: string; topic: string; key: string }>(
      'SELECT envelope, topic, key FROM outbox WHERE aggregate_id = $1 ORDER BY position',
      [paymentId],
    );
    return rows.map(({ envelope }) => {
      const event = envelopeSchema.parse(JSON.parse(envelope));
      EVENT_CATALOGUE.get(event.type)?.payload.parse(event.payload);
      if (!EVENT_CATALOGUE.has(event.type)) throw new Error(`${event.type} is not in the catalogue`);
      return event;
    });
  }

  /** The ids of a payment's operations at the acquirer, in order. */
  async operations(paymentId: string): Promise<readonly string[]> {
    const rows = await this.database.query<{ attempt_id: string }>(
      'SELECT attempt_id FROM payment_attempts WHERE payment_id = $1 ORDER BY position',
      [paymentId],
    );
    return rows.map(({ attempt_id: id }) => id);
  }

  /** As if the process that holds this key had died long ago. */
  async endLease(key: string): Promise<void> {
    const ended = await this.database.execute(
      `UPDATE idempotency_keys SET lease_until = now() - interval '1 second' WHERE key = $1 AND state = 'running'`,
      [key],
    );
    if (ended !== 1) throw new Error(`given: ${ended} running requests with the key ${key}`);
  }

  /** As if the time had come at which the open orders of this payment are taken up. */
  async makeDue(paymentId: string): Promise<void> {
    if ((await this.makeOpenOrdersDue(paymentId)) === 0) throw new Error(`given: ${paymentId} has no open order`);
  }

  /** The same, and they are: returns when that was done. */
  async recover(paymentId: string): Promise<void> {
    await this.makeDue(paymentId);
    await this.app.get(RecoverOrders).pass();
  }

  /** What is left open of it, if anything, is resolved. */
  async recoverWhatIsOpen(paymentId: string): Promise<void> {
    await this.makeOpenOrdersDue(paymentId);
    await this.app.get(RecoverOrders).pass();
  }

  /** The same by several at the same moment. Each makes them due anew, unless another has closed them already. */
  async recoverAtOnce(paymentId: string, instances: number): Promise<void> {
    await this.makeDue(paymentId);
    await Promise.all(Array.from({ length: instances }, () => this.recoverWhatIsOpen(paymentId)));
  }

  /** @returns how many there are */
  private async makeOpenOrdersDue(paymentId: string): Promise<number> {
    return await this.database.execute(
      `UPDATE payment_attempts SET next_recovery_at = now() WHERE payment_id = $1 AND next_recovery_at IS NOT NULL`,
      [paymentId],
    );
  }

  /** What must be true after whatever the tests did. */
  async wrongs(): Promise<readonly unknown[]> {
    const { differences } = await compareReadModels(this.database);
    return [
      ...differences,
      ...this.acquirer.server.violations,
      ...this.vault.server.violations,
      ...this.ledger.server.violations,
      ...this.fraud.server.violations,
    ];
  }

  /** The value of an Authorization header. */
  async authorization(principal: Principal): Promise<string> {
    const known = this.tokens.get(principal);
    if (known !== undefined) return known;
    const authorization = await this.mint.authorization(principal);
    this.tokens.set(principal, authorization);
    return authorization;
  }
}

export const freshKey = (): string => crypto.randomUUID();
