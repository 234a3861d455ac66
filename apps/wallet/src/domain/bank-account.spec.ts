import { describe, expect, it } from '@jest/globals';

import { maskedBankAccount, readBankAccount } from './bank-account.js';

const name = 'Ada Lovelace';

describe('a bank account', () => {
  it('is read as people write it', () => {
    expect(readBankAccount({ iban: 'gb57 payf 0000 0100 0000 01', name })).toEqual({
      iban: 'GB57PAYF00000100000001',
      name,
    });
    expect(readBankAccount({ accountNumber: '000123456789', routingNumber: '110000000', name })).toBeDefined();
  });

  it.each(['GB58PAYF00000100000001', 'GB57PAYF0000010000000', 'XX57PAYF00000100000001', 'DE89370400440532013001', ''])(
    'is refused with the IBAN %j',
    (iban) => {
      expect(readBankAccount({ iban, name })).toBeUndefined();
    },
  );

  it.each(['110000001', '000000000', '11000000', '1100000000'])('is refused with the routing number %j', (routing) => {
    expect(readBankAccount({ accountNumber: '1234', routingNumber: routing, name })).toBeUndefined();
  });

  it('is shown by its last four', () => {
    expect(maskedBankAccount({ iban: 'GB57PAYF00000100000001', name })).toBe('GB••0001');
    expect(maskedBankAccount({ accountNumber: '000123456789', routingNumber: '110000000', name })).toBe('••6789');
  });
});
