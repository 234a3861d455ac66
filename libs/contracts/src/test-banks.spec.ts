import { describe, expect, it } from '@jest/globals';
import { isValidIBAN } from 'ibantools';

import { TEST_BANK_ACCOUNTS, testBankAccountOf } from './test-banks.js';

describe('test bank accounts', () => {
  it('have IBANs that every check lets pass', () => {
    const ibans = TEST_BANK_ACCOUNTS.flatMap(({ iban }) => iban ?? []);
    expect(ibans.filter((iban) => !isValidIBAN(iban))).toEqual([]);
    expect(new Set(ibans).size).toBe(ibans.length);
  });

  it('are found by IBAN, and by account and routing number', () => {
    expect(testBankAccountOf({ iban: 'GB73PAYF00000100000004' })).toMatchObject({ reason: 'AC04' });
    expect(testBankAccountOf({ accountNumber: '000123456789', routingNumber: '110000000' })).toMatchObject({
      behaviour: 'paid',
    });
    expect(testBankAccountOf({ iban: 'DE89370400440532013000' })).toBeUndefined();
    expect(testBankAccountOf({ accountNumber: '1234', routingNumber: '110000000' })).toBeUndefined();
  });
});
