import type { DemoFile } from '../stack/state.ts';
import { call } from './call.ts';
import { adminTokenOf, tokenOf } from './sign-in.ts';

export interface BenchMerchant {
  readonly merchantId: string;
  readonly token: string;
}

/** Merchants of a section's own: its payments are then found by them, and the rate limit of one client is no limit of the whole. */
export const newMerchants = async (stack: DemoFile, count: number): Promise<readonly BenchMerchant[]> => {
  const { gateway } = stack;
  const token = await adminTokenOf(stack);
  const merchants: BenchMerchant[] = [];
  for (let index = 0; index < count; index += 1) {
    const { merchantId } = await call<{ merchantId: string }>('POST', `${gateway}/merchants`, token, {
      name: 'Benchmark',
    });
    const client = await call<{ clientId: string; clientSecret: string }>(
      'POST',
      `${gateway}/merchants/${merchantId}/clients`,
      token,
      {},
    );
    merchants.push({ merchantId, token: await tokenOf(gateway, client) });
  }
  return merchants;
};
