import { randomUUID } from 'node:crypto';

import { Failure } from '../servers/failure.ts';
import type { DemoFile } from '../stack/state.ts';
import { tokenOf } from './sign-in.ts';

export interface BenchMerchant {
  readonly merchantId: string;
  readonly token: string;
}

/** Merchants of a section's own: its payments are then found by them, and the rate limit of one client is no limit of the whole. */
export const newMerchants = async ({ gateway, admin }: DemoFile, count: number): Promise<readonly BenchMerchant[]> => {
  const { token } = await call<{ token: string }>(`${gateway}/auth/login`, undefined, admin);
  const merchants: BenchMerchant[] = [];
  for (let index = 0; index < count; index += 1) {
    const { merchantId } = await call<{ merchantId: string }>(`${gateway}/merchants`, token, { name: 'Benchmark' });
    const client = await call<{ clientId: string; clientSecret: string }>(
      `${gateway}/merchants/${merchantId}/clients`,
      token,
      {},
    );
    merchants.push({ merchantId, token: await tokenOf(gateway, client) });
  }
  return merchants;
};

/** POSTs JSON. */
const call = async <Answer>(url: string, token: string | undefined, body: unknown): Promise<Answer> => {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Failure(`${url} answered ${String(response.status)}: ${await response.text()}`);
  return (await response.json()) as Answer;
};
