import { describe, expect, it } from '@jest/globals';

import { amountText } from './amount-text.js';
import type { Message } from './message.js';
import { letterOf } from './templates.js';

const particulars = { code: '123456', account: 'carol' };
const payment = { paymentId: 'pay_1', merchantId: 'mer_1', amount: 1050, currency: 'USD' };
const payout = { payoutId: 'po_1', merchantId: 'mer_1', amount: 1050, currency: 'USD' };
const code = { codeSealed: 'sealed', expiresAt: null };

const MESSAGES: readonly Message[] = [
  { kind: 'verification', ...code },
  { kind: 'password_reset', ...code },
  { kind: 'already_registered' },
  { kind: 'payment_receipt', ...payment, captureId: 'cap_1', capturedTotal: 2000 },
  { kind: 'payment_failed', ...payment },
  { kind: 'payment_refunded', ...payment, refundId: 'ref_1', refundedTotal: 2000 },
  { kind: 'refund_failed', ...payment, refundId: 'ref_1' },
  { kind: 'wallet_received', transactionId: 'txn_1', walletId: 'wal_1', amount: 1050, currency: 'USD' },
  { kind: 'payout_paid', ...payout, bankReference: 'BNK-1' },
  { kind: 'payout_failed', ...payout, reason: 'AC04' },
  { kind: 'payout_returned', ...payout, reason: null },
  {
    kind: 'dispute_opened',
    disputeId: 'dp_1',
    ...payment,
    fee: 1500,
    reason: 'fraudulent',
    evidenceDueBy: '2026-12-01T12:00:00.000Z',
  },
];

describe('an amount in a message', () => {
  it.each([
    [0, 'USD', '0.00 USD'],
    [5, 'USD', '0.05 USD'],
    [1050, 'JPY', '1050 JPY'],
    [1050, 'BHD', '1.050 BHD'],
    // ICU thinks that these have no decimals.
    [105000, 'HUF', '1050.00 HUF'],
    [99_999_999_999_999, 'USD', '999999999999.99 USD'],
    [1050, 'ZZZ', '1050 (minor units) ZZZ'],
  ])('%d of %s is %j', (amount, currency, text) => {
    expect(amountText(amount, currency)).toBe(text);
  });
});

describe.each(MESSAGES)('$kind', (message) => {
  it('as a mail has a subject of one line, a text and a page that say the same', () => {
    const { subject, text, html } = letterOf(message, 'email', particulars);
    expect(subject).toMatch(/^[^\r\n]{5,80}$/);
    const [first = ''] = text.split('\n');
    expect(html).toContain(`<p>${first}</p>`);
    expect(`${subject}${text}`).not.toMatch(/undefined|null|\[object|NaN/);
  });

  it('as an SMS is its first sentence alone', () => {
    const { subject, text, html } = letterOf(message, 'sms', particulars);
    expect([subject, html]).toEqual([null, null]);
    expect(letterOf(message, 'email', particulars).text.startsWith(text)).toBe(true);
    expect(text).not.toContain('\n');
  });
});

it('takes no markup from a bank', () => {
  const message: Message = { kind: 'payout_failed', ...payout, reason: '<img src=x onerror="alert(1)">' };
  const { html } = letterOf(message, 'email', particulars);
  expect(html).toContain('(&lt;img src=x onerror=&quot;alert(1)&quot;&gt;)');
});
