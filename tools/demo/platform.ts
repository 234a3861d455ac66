import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import pg from 'pg';

/** The part of `.payflow/demo.json` that the scenarios need. */
export interface DemoFile {
  readonly gateway: string;
  readonly kafka: string;
  readonly postgres: string;
  readonly merchant: { readonly merchantId: string; readonly clientId: string; readonly clientSecret: string };
  /** Each service's own address, behind the gateway. */
  readonly services: Readonly<Record<string, string>>;
  readonly admin: { readonly email: string; readonly password: string };
}

export const readDemoFile = (home: string): DemoFile =>
  JSON.parse(readFileSync(join(home, 'demo.json'), 'utf8')) as DemoFile;

export interface Reply {
  readonly status: number;
  readonly replayed: boolean;
  readonly text: string;
  readonly body: any;
}

/** The platform as a merchant and an operator use it: over the gateway, with their own tokens. */
export class Platform {
  readonly demo: DemoFile;
  private merchantToken = '';
  private adminToken = '';

  constructor(demo: DemoFile) {
    this.demo = demo;
  }

  async signIn(): Promise<void> {
    const { clientId, clientSecret } = this.demo.merchant;
    const client = await this.send('POST', '/oauth/token', '', {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
    });
    const person = await this.send('POST', '/auth/login', '', this.demo.admin);
    this.merchantToken = client.body.access_token as string;
    this.adminToken = person.body.token as string;
  }

  /** As the demo merchant. A key of its own unless one is given. */
  async merchant(method: string, path: string, body?: unknown, key: string = crypto.randomUUID()): Promise<Reply> {
    return await this.send(method, path, this.merchantToken, body, key);
  }

  /** As the demo administrator. */
  async admin(method: string, path: string, body?: unknown): Promise<Reply> {
    return await this.send(method, path, this.adminToken, body, crypto.randomUUID());
  }

  /** As whoever this token is of; with '' as nobody. */
  async as(token: string, method: string, path: string, body?: unknown): Promise<Reply> {
    return await this.send(method, path, token, body, crypto.randomUUID());
  }

  /** What an acquirer has in its own book about a payment. */
  async acquirerBook(acquirer: string, paymentId: string): Promise<readonly { operation: string; outcome: string }[]> {
    return (await this.atSimulator('GET', `/acquirers/${acquirer}/operations?paymentId=${paymentId}&limit=100`)).body
      .data;
  }

  /** At the simulator's own address, which the gateway does not show. */
  async atSimulator(method: string, path: string, body?: unknown): Promise<Omit<Reply, 'replayed'>> {
    const response = await fetch((this.demo.services['acquirer-sim'] ?? '') + path, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, text, body: JSON.parse(text) };
  }

  private async send(method: string, path: string, token: string, body?: unknown, key?: string): Promise<Reply> {
    const response = await fetch(this.demo.gateway + path, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(key === undefined || method === 'GET' ? {} : { 'idempotency-key': key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      replayed: response.headers.get('idempotent-replayed') === 'true',
      text,
      // A deletion has no body.
      body: text === '' ? undefined : JSON.parse(text),
    };
  }
}

/** As the superuser, in the database of a service: what no caller can see or do. */
export const inDatabase = async (
  { demo }: Platform,
  service: 'ledger' | 'settlement',
  statement: string,
  parameters: readonly unknown[] = [],
): Promise<readonly any[]> => {
  const url = new URL(demo.postgres);
  url.pathname = `/payflow_${service}`;
  const client = new pg.Client({ connectionString: url.toString() });
  await client.connect();
  try {
    return (await client.query(statement, [...parameters])).rows;
  } finally {
    await client.end();
  }
};

/** Stops the demo when the platform does not show what it should. */
export const expectThat = (holds: boolean, sentence: string, shown: unknown): void => {
  if (!holds) throw new Error(`${sentence}\n${JSON.stringify(shown, null, 2)}`);
};

const WAIT_MS_MAX = 180_000;
const WAIT_PAUSE_MS = 200;

/** Asks until the answer satisfies, for what another service does in its own time. */
export const until = async <Result>(ask: () => Promise<Result | undefined>, what: string): Promise<Result> => {
  const deadline = Date.now() + WAIT_MS_MAX;
  for (;;) {
    const result = await ask();
    if (result !== undefined) return result;
    if (Date.now() > deadline) throw new Error(`waited ${WAIT_MS_MAX / 1000} s in vain: ${what}`);
    await wait(WAIT_PAUSE_MS);
  }
};
