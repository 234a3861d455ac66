import pg from 'pg';

import { databaseNamesOf } from '../../libs/postgres/src/provision.ts';
import type { ServiceName } from '../stack/services.ts';

const CONNECT_TIMEOUT_MS = 3_000;
const QUERY_TIMEOUT_MS = 30_000;

export type Row = Readonly<Record<string, unknown>>;

/** The services' databases, read by the superuser, past every proxy. A connection for each question: the drill kills the server. */
export class Databases {
  private readonly adminUrl: () => string;

  constructor(adminUrl: () => string) {
    this.adminUrl = adminUrl;
  }

  async query(
    service: ServiceName | 'postgres',
    text: string,
    values: readonly unknown[] = [],
  ): Promise<readonly Row[]> {
    const url = new URL(this.adminUrl());
    url.pathname = service === 'postgres' ? '/postgres' : `/${databaseNamesOf(service).database}`;
    const client = new pg.Client({
      connectionString: url.toString(),
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query<Row>(text, [...values])).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async number(service: ServiceName, text: string, values: readonly unknown[] = []): Promise<number> {
    const [row] = await this.query(service, text, values);
    return Number(Object.values(row ?? {})[0] ?? 0);
  }
}
