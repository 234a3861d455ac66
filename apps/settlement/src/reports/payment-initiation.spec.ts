import { describe, expect, it } from '@jest/globals';

import { faultsIn } from '../../test/iso20022/validation.js';
import { type CreditTransfer, paymentInitiationOf } from './payment-initiation.js';

const transfer = (over: Partial<CreditTransfer> = {}): CreditTransfer => ({
  reference: 'po_01kxyz6w3hf8btq2v9m4n7r5sd',
  amountMinor: 123_456n,
  currency: 'USD',
  creditorName: 'Ada & Söhne <Ltd> "日本"',
  creditorIban: 'GB57PAYF00000100000001',
  remittance: 'PayFlow settlement',
  ...over,
});

const file = (...transfers: readonly CreditTransfer[]): string =>
  paymentInitiationOf({
    id: '01kxyz6w3hf8btq2v9m4n7r5sd-9999',
    createdAt: new Date('2026-11-21T10:00:00.123Z'),
    bank: 'sim',
    transfers,
  });

describe('a payout file', () => {
  it('is valid against pain.001.001.09, in each currency with its own decimals', async () => {
    const text = file(
      transfer(),
      transfer({ currency: 'JPY', amountMinor: 500n }),
      transfer({ currency: 'BHD', amountMinor: 12_345n }),
      transfer({ amountMinor: 1n }),
    );
    expect(await faultsIn(text)).toEqual([]);
    expect(text).toContain('<InstdAmt Ccy="JPY">500</InstdAmt>');
    expect(text).toContain('<InstdAmt Ccy="BHD">12.345</InstdAmt>');
    expect(text).toContain('<CtrlSum>1234.57</CtrlSum>');
    expect(text).toContain('<EndToEndId>po_01kxyz6w3hf8btq2v9m4n7r5sd</EndToEndId>');
  });

  it('keeps what people write apart from its own marks', () => {
    expect(file(transfer({ creditorName: '</Nm></Cdtr><Evil/>' }))).not.toContain('<Evil/>');
  });

  const valid = file(transfer());
  it.each<[string, string, string]>([
    [
      'an element out of order',
      valid.replace(/(\s*<PmtMtd>TRF<\/PmtMtd>)(\s*<NbOfTxs>1<\/NbOfTxs>)(?=\s*<CtrlSum>)/, '$2$1'),
      'PmtMtd',
    ],
    ['an element too few', valid.replace(/<EndToEndId>.*<\/EndToEndId>/, ''), 'EndToEndId'],
    ['an element too many', valid.replace('<ChrgBr>SLEV</ChrgBr>', '<ChrgBr>SLEV</ChrgBr><Extra/>'), 'Extra'],
    ['a long reference', valid.replace(/<EndToEndId>/, `<EndToEndId>${'x'.repeat(10)}`), 'maxLength'],
    ['a broken IBAN', valid.replace('GB57', 'gb57'), 'IBAN'],
    ['an amount without currency', valid.replace(' Ccy="USD"', ''), 'Ccy'],
    ['an unknown value', valid.replace('SLEV', 'NONE'), 'enumeration'],
    ['another namespace', valid.replace('pain.001.001.09', 'pain.001.001.03'), 'No matching global declaration'],
  ])('would be found invalid with %s', async (_what, text, fault) => {
    expect(text).not.toBe(valid);
    expect((await faultsIn(text)).join('\n')).toContain(fault);
  });
});
