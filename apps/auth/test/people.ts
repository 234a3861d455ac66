import { createHmac } from 'node:crypto';

import { type Answered, get, postJson, type RunningAuth, tokenOf } from './running-auth.js';

/** What people do at auth, from outside. */
export class People {
  constructor(private readonly auth: () => RunningAuth) {}

  async post(path: string, body: unknown, options: { token?: string; key?: string } = {}): Promise<Answered> {
    return await postJson(`${this.auth().url}${path}`, body, {
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(options.key === undefined ? {} : { 'idempotency-key': options.key }),
    });
  }

  async get(path: string, token?: string): Promise<Answered> {
    return await get(`${this.auth().url}${path}`, token);
  }

  async send(method: string, path: string, token: string, body?: unknown): Promise<Answered> {
    const response = await fetch(`${this.auth().url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {},
    };
  }

  /** Registers and logs in. */
  async newPerson(fields: Record<string, string>): Promise<{ userId: string; token: string; refreshToken: string }> {
    const registered = await this.post('/auth/register', { password: PASSWORD, ...fields });
    if (registered.status !== 201) throw new Error(`not registered: ${registered.text}`);
    return await this.logIn(fields);
  }

  async logIn(fields: Record<string, string>): Promise<{ userId: string; token: string; refreshToken: string }> {
    const { name: _, ...login } = fields;
    const answer = await this.post('/auth/login', { password: PASSWORD, ...login });
    const { userId, refreshToken } = answer.body;
    return { userId: String(userId), token: tokenOf(answer), refreshToken: String(refreshToken) };
  }

  async mails(to: string): Promise<readonly Mail[]> {
    const answer = await this.get(`/dev/mailbox?to=${encodeURIComponent(to)}`);
    return answer.body['data'] as readonly Mail[];
  }

  /** The newest code that went to the address. */
  async code(to: string): Promise<string> {
    const code = (await this.mails(to))[0]?.code;
    if (typeof code !== 'string') throw new Error(`no code went to ${to}`);
    return code;
  }
}

export interface Mail {
  readonly to: string;
  readonly channel: string;
  readonly purpose: string;
  readonly subject: string | null;
  readonly text: string;
  readonly code: string | null;
}

export const PASSWORD = 'correct horse battery';

/** Another code than this one. */
export const wrongCode = (code: string, offset = 1): string =>
  String((Number(code) + offset) % 1_000_000).padStart(6, '0');

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** RFC 6238 by hand: the test does not ask the library that it tests. */
export const totp = (secret: string, at: number = Date.now()): string => {
  const bits = Array.from(secret, (letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const digest = createHmac('sha1', key).update(counter).digest();
  const offset = (digest.at(-1) ?? 0) & 15;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
};

export const countBy = (statuses: readonly number[]): Record<number, number> =>
  statuses.reduce<Record<number, number>>((counts, status) => ({ ...counts, [status]: (counts[status] ?? 0) + 1 }), {});
