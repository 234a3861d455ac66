import { describe, expect, it } from '@jest/globals';

import type { ImportedLine } from '../../apps/settlement/src/reports/imported-report.js';
import { readReport } from '../../apps/settlement/src/reports/report-files.js';
import { acquirerReport } from './acquirer-report.ts';

const from = new Date('2026-11-20T10:00:00.000Z');
const to = new Date('2026-11-20T11:00:00.000Z');
const line = (reference: string, amount: number, currency = 'USD') => ({
  reference,
  paymentId: 'pay_1',
  amount,
  currency,
  fee: 0,
  at: from,
});

describe('the report that the benchmark writes', () => {
  it('is one that settlement reads', async () => {
    const lines = [line('cap_1', 1_000), { ...line('cap_2', 500), fee: 30 }, line('cap_3', 700, 'EUR')];
    const text = acquirerReport({ acquirer: 'sim', report: 'r1', from, to, lines });
    const reading = readReport('acquirer:sim', Buffer.from(text));
    const read: ImportedLine[] = [];
    let step = await reading.next();
    while (step.done !== true) {
      read.push(...step.value);
      step = await reading.next();
    }
    expect(read).toMatchObject([
      {
        type: 'capture',
        reference: 'cap_1',
        paymentId: 'pay_1',
        amountMinor: 1_000n,
        currency: 'USD',
        feeMinor: 0n,
        at: from,
      },
      { reference: 'cap_2', amountMinor: 500n, feeMinor: 30n },
      { reference: 'cap_3', amountMinor: 700n, currency: 'EUR' },
    ]);
    expect(step.value).toEqual({
      theirId: 'r1',
      from,
      to,
      lineCount: 3,
      totals: [
        { currency: 'EUR', count: 1, amountMinor: 700n, feeMinor: 0n },
        { currency: 'USD', count: 2, amountMinor: 1_500n, feeMinor: 30n },
      ],
    });
  });
});
