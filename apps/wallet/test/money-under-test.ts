import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { BankBookLine, Principal, SetBankMode } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { createServiceApp } from '@payflow/service';
import { createTestDatabase, eventually, freePort, type TestDatabase, testKafka } from '@payflow/testing';

import { AcquirerSimModule } from '../../acquirer-sim/src/acquirer-sim.module.js';
import { migrations as bankMigrations } from '../../acquirer-sim/src/migrations.js';
import { PaymentsFake } from './payments-fake.js';
import { type Answered, type Fields, walletSecrets, WalletsUnderTest } from './wallets-under-test.js';

export const IBAN = {
  paid: 'GB57PAYF00000100000001',
  accepted: 'GB30PAYF00000100000002',
  closed: 'GB73PAYF00000100000004',
  silentWithEffect: 'GB89PAYF00000100000007',
  silentWithoutEffect: 'GB62PAYF00000100000008',
} as const;

const SECRET = 'secret-of-a-service-under-test';

/** The wallet service before the real ledger and the real bank of the simulator; payment is a fake on loopback. */
export class MoneyUnderTest {
  private readonly doomed = new Set<ChildProcess>();

  private constructor(
    readonly wallets: WalletsUnderTest,
    readonly payments: PaymentsFake,
    private readonly sim: NestFastifyApplication,
    private readonly simDatabases: TestDatabase,
    private readonly settings: Readonly<Record<string, string>>,
    private readonly simUrl: string,
  ) {}

  static async start(more: Readonly<Record<string, string>> = {}): Promise<MoneyUnderTest> {
    const simDatabases = await createTestDatabase({ service: 'acquirer-sim', migrations: bankMigrations });
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
    const payments = new PaymentsFake();
    await payments.open();
    const settings = {
      BANK_URL: `${simUrl}/banks/sim`,
      PAYMENT_URL: payments.url,
      BANK_TIMEOUT_MS: '4000',
      BANK_FEED_POLL_MS: '100',
      WALLET_INQUIRY_DELAYS_SECONDS: '1,1',
      ...more,
    };
    const wallets = await WalletsUnderTest.start({ environment: settings });
    return new MoneyUnderTest(wallets, payments, sim, simDatabases, settings, simUrl);
  }

  async stop(): Promise<void> {
    for (const child of this.doomed) child.kill('SIGKILL');
    await this.wallets.stop();
    await this.payments.close();
    await this.sim.close();
    await this.simDatabases.drop();
  }

  async add(as: Principal, amount: number, key: string = newId('req')): Promise<Answered> {
    return await this.wallets.post('/wallet/add', { as, key, body: this.addition(amount) });
  }

  addition(amount: number) {
    return { amount, currency: 'USD', paymentMethod: { type: 'card', token: newId('tok') } };
  }

  async withdraw(as: Principal, amount: number, iban: string, key: string = newId('req')): Promise<Answered> {
    return await this.wallets.post('/wallet/withdraw', { as, key, body: this.withdrawal(amount, iban) });
  }

  withdrawal(amount: number, iban: string) {
    return { amount, currency: 'USD', bankAccount: { iban, name: 'Ada Lovelace' } };
  }

  /** The only transaction of its type, when it has ended. */
  async ended(as: Principal, type: 'ADD' | 'WITHDRAW'): Promise<Fields> {
    return await eventually(
      async () => {
        const { body } = await this.wallets.get(`/transactions?type=${type}`, as);
        if (body['data'].length !== 1 || body['data'][0].status === 'PENDING') throw new Error('has not ended');
        return body['data'][0] as Fields;
      },
      { timeoutMs: 40_000 },
    );
  }

  async bankBook(reference: string): Promise<readonly BankBookLine['kind'][]> {
    const answer = await fetch(`${this.simUrl}/banks/sim/book?reference=${reference}`);
    return ((await answer.json()) as { data: BankBookLine[] }).data.map(({ kind }) => kind);
  }

  async returnPayout(reference: string): Promise<void> {
    await this.atBank('POST', `/payouts/${reference}/return`, { reason: 'AC04' });
  }

  /** A payout that reaches the bank by another way than ours. */
  async payAtBank(reference: string, amount: number, iban: string): Promise<void> {
    await this.atBank('POST', '/payouts', { reference, amount, currency: 'USD', creditor: { name: 'Ada', iban } }, 201);
  }

  async setBankMode(mode: SetBankMode): Promise<void> {
    await this.atBank('POST', '/mode', mode);
  }

  async clearBankModes(): Promise<void> {
    await this.atBank('DELETE', '/mode');
  }

  private async atBank(method: string, path: string, body?: unknown, status = 200): Promise<void> {
    const answer = await fetch(`${this.simUrl}/banks/sim${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (answer.status !== status) throw new Error(`the bank refuses: ${answer.status} ${await answer.text()}`);
  }

  /** The statuses that were told of a transaction, in order. */
  async told(transactionId: string): Promise<readonly string[]> {
    const rows = await this.wallets.database.query<{ envelope: string }>(
      'SELECT envelope FROM outbox WHERE topic = $1 ORDER BY position',
      ['wallet.transaction'],
    );
    return rows
      .map(({ envelope }) => (typeof envelope === 'string' ? JSON.parse(envelope) : envelope) as Fields)
      .filter(({ aggregateId }) => aggregateId === transactionId)
      .map(({ payload }) => String(payload.status));
  }

  /** Lets the time come for everything that waits, so that a test does not wait for leases. */
  async letTimePass(): Promise<void> {
    await this.wallets.database.execute('UPDATE wallet_timers SET due_at = now(), lease_until = NULL');
  }

  /** A doomed process would take up what is left of another test, and die of that. */
  async nothingWaits(): Promise<void> {
    await eventually(
      async () => {
        const left = await this.wallets.database.query('SELECT FROM wallet_timers');
        if (left.length > 0) throw new Error('something waits');
      },
      { timeoutMs: 30_000 },
    );
  }

  /** An instance as a process of its own, on the same database, which kills itself at that place. */
  async startDoomed(crash: string): Promise<{ readonly url: string; readonly died: Promise<unknown> }> {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const { databases, ledgerUrl, mint, topicPrefix } = this.wallets;
    const child = fork(new URL('../src/main.ts', import.meta.url), {
      execArgv: ['--conditions', 'payflow-source', '--import', '@payflow/testing/typescript-hooks'],
      env: {
        ...this.settings,
        ...walletSecrets,
        PATH: process.env['PATH'],
        PORT: String(port),
        DATABASE_URL: databases.runtimeUrl,
        LEDGER_URL: ledgerUrl,
        AUTH_URL: mint.url,
        ISSUER: mint.url,
        KAFKA_BROKERS: testKafka().brokerList,
        KAFKA_TOPIC_PREFIX: topicPrefix,
        SERVICE_CLIENT_SECRET: SECRET,
        NODE_ENV: 'test',
        LOG_LEVEL: 'error',
        PAYFLOW_CRASH: crash,
      },
      stdio: 'ignore',
    });
    this.doomed.add(child);
    const died = once(child, 'exit').then(([, signal]: unknown[]) => {
      this.doomed.delete(child);
      return signal;
    });
    await eventually(
      async () => {
        if ((await fetch(`${url}/health/ready`)).status !== 200) throw new Error('is not ready yet');
      },
      { timeoutMs: 60_000 },
    );
    return { url, died };
  }
}
