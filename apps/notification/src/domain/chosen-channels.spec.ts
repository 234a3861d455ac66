import { describe, expect, it } from '@jest/globals';

import { destinationsOf } from './chosen-channels.js';

const both = { email: 'a@example.com', phone: '+442083661177' };
const phoneOnly = { ...both, email: null };
const mail = { channel: 'email', address: 'a@example.com' };
const sms = { channel: 'sms', address: '+442083661177' };

describe('where a message goes', () => {
  it.each([
    ['by mail where nothing was chosen', 'payment_receipt', both, {}, [mail]],
    ['by SMS where there is no mail address', 'payment_receipt', phoneOnly, {}, [sms]],
    [
      'over both channels when both were chosen',
      'payment_receipt',
      both,
      { payment_receipt: ['email', 'sms'] },
      [mail, sms],
    ],
    ['nowhere when it was switched off', 'payment_receipt', both, { payment_receipt: [] }, []],
    [
      'nowhere when the chosen channel has no address',
      'payment_receipt',
      phoneOnly,
      { payment_receipt: ['email'] },
      [],
    ],
    ['as chosen for its own kind only', 'payment_failed', both, { payment_receipt: [] }, [mail]],
    ['nowhere when there is no address', 'payout_paid', { email: null, phone: null }, {}, []],
    ['whatever was chosen, for a code', 'verification', both, { verification: [] }, [mail]],
  ] as const)('%s', (_, kind, addresses, choices, expected) => {
    expect(destinationsOf(kind, addresses, choices)).toEqual(expected);
  });
});
