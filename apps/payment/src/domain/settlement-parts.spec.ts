import { expect, it } from '@jest/globals';
import fc from 'fast-check';

import { partsOf } from './settlement-parts.js';

const line = fc.record({
  paymentId: fc.constantFrom('pay_1', 'pay_2', 'pay_3'),
  balanceTransactionId: fc.uuid(),
  gross: fc.integer({ min: -1_000_000, max: 1_000_000 }),
  fee: fc.integer({ min: -1_000, max: 1_000 }),
});

it('each payment of a settlement has one part, and the parts are all of its lines', () => {
  fc.assert(
    fc.property(fc.array(line), (drawn) => {
      const lines = drawn.map((one) => ({ ...one, net: one.gross - one.fee }));
      const parts = partsOf({ settlementId: 'set_1', acquirer: 'sim', bank: 'sim', lines });
      expect(new Set(parts.map(({ paymentId }) => paymentId)).size).toBe(parts.length);
      const sum = (amounts: readonly (number | bigint)[]): bigint =>
        amounts.reduce<bigint>((a, b) => a + BigInt(b), 0n);
      expect(sum(parts.map(({ grossMinor }) => grossMinor))).toBe(sum(lines.map(({ gross }) => gross)));
      expect(sum(parts.map(({ netMinor }) => netMinor))).toBe(sum(lines.map(({ net }) => net)));
      for (const { grossMinor, feeMinor, netMinor } of parts) expect(grossMinor - feeMinor).toBe(netMinor);
      expect(parts.flatMap(({ balanceTransactionIds }) => balanceTransactionIds).toSorted()).toEqual(
        lines.map(({ balanceTransactionId }) => balanceTransactionId).toSorted(),
      );
    }),
  );
});
