import { newId, type Currency } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { createTestDatabase, type TestDatabase } from '@payflow/testing';
import type { MigrationInterface } from 'typeorm';

import { commitTransactions } from '../../apps/ledger/src/application/commit-transactions.js';
import type { Finding, Invariant } from './invariant.js';
import { ReadDatabase } from './read-database.js';
import type { Sources } from './sources.js';

export type Move = readonly [from: string, to: string, amount: number, entryType?: string];

export interface Posted {
  readonly transactionId: string;
  readonly at: Date;
  readonly balanceOf: (account: string) => number;
}

type Migrations = Readonly<Record<string, readonly (new () => MigrationInterface)[]>>;

const USD = 'USD' as Currency;

/** Databases of services without the services: a test writes what they would have written, and then breaks it. */
export class ScratchBooks<Service extends string> {
  private readonly databases: TestDatabase[] = [];
  private readonly owners = new Map<Service, Database>();
  private readonly readers = new Map<Service, ReadDatabase>();

  /** One of them is the ledger. */
  static async open<Service extends string>(
    migrations: Migrations & Readonly<Record<Service, unknown>>,
  ): Promise<ScratchBooks<Service>> {
    const books = new ScratchBooks<Service>();
    for (const service of Object.keys(migrations) as Service[]) {
      const database = await createTestDatabase({ service, migrations: [...(migrations[service] ?? [])] });
      books.databases.push(database);
      books.owners.set(
        service,
        await Database.connect({ url: database.ownerUrl, applicationName: 'audit-test', poolSizeMax: 2 }),
      );
      books.readers.set(service, new ReadDatabase(service, database.ownerUrl));
    }
    return books;
  }

  async close(): Promise<void> {
    for (const reader of this.readers.values()) await reader.close();
    for (const owner of this.owners.values()) await owner.close();
    for (const database of this.databases) await database.drop();
  }

  async write(service: Service, statement: string, parameters: readonly unknown[] = []): Promise<void> {
    await this.ownerOf(service).execute(statement, parameters);
  }

  /** What the invariant finds now. */
  async audit(invariant: Invariant, others: Partial<Sources> = {}): Promise<readonly Finding[]> {
    const findings: Finding[] = [];
    const sources = {
      payment: this.readers.get('payment' as Service),
      ledger: this.readers.get('ledger' as Service),
      acquirers: this.readers.get('acquirer-sim' as Service),
      databases: this.readers,
      graceMs: 0,
      compared: () => undefined,
      note: () => undefined,
      progress: () => undefined,
      ...others,
    } as unknown as Sources;
    for await (const finding of invariant.check(sources)) findings.push(finding);
    return findings;
  }

  /** A transaction of the ledger, by the ledger's own committer. */
  async post(
    reference: string,
    moves: readonly Move[],
    { type = 'TRANSFER', paymentId = null }: { readonly type?: string; readonly paymentId?: string | null } = {},
  ): Promise<Posted> {
    const codes = [...new Set(moves.flatMap(([from, to]) => [from, to]))];
    const transactionId = newId('ltx');
    const ledger = this.ownerOf('ledger' as Service);
    const draft = {
      transactionId,
      authority: 'service',
      reference,
      type,
      postings: moves.map(([from, to, amount, entryType = type]) => ({
        from,
        to,
        amountMinor: BigInt(amount),
        currency: USD,
        entryType,
      })),
      refusalIsFinal: true,
      opens: codes.map((code) => ({ code, currency: USD, floorMinor: code.startsWith('user:') ? 0n : null })),
      effectiveAt: null,
      metadata: {},
      provenance: {
        paymentId,
        merchantId: null,
        eventId: null,
        acquirerReference: null,
        reverts: null,
        postedBy: 'svc_wallet',
        correlationId: null,
      },
    } as const;
    const [decision] = await ledger.transaction((tx) => commitTransactions(tx, [{ atomic: false, drafts: [draft] }]));
    const [outcome] = decision?.outcomes ?? [];
    if (outcome?.kind !== 'posted') throw new Error(`not posted: ${JSON.stringify(outcome)}`);
    const [row] = await ledger.query<{ recorded_at: Date }>('SELECT recorded_at FROM transactions WHERE id = $1', [
      transactionId,
    ]);
    return {
      transactionId,
      at: row?.recorded_at ?? new Date(0),
      balanceOf: (account) =>
        Number(outcome.entries.findLast((entry) => entry.account.code === account)?.balanceAfterMinor),
    };
  }

  /** The service's own database, by its owner: who may read and write everything. */
  ownerOf(service: Service): Database {
    const owner = this.owners.get(service);
    if (owner === undefined) throw new Error(`no ${service}`);
    return owner;
  }
}
