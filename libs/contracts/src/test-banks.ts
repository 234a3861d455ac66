/** What the bank of `acquirer-sim` does with a payout, from its first answer to its last word. */
export const BANK_ACCOUNT_BEHAVIOURS = [
  'paid',
  'accepted_then_paid',
  'accepted_then_refused',
  'refused',
  'timeout_after_effect',
  'timeout_without_effect',
  'error_before_effect',
  'error_after_effect',
  'paid_then_returned',
  'slow',
] as const;
export type BankAccountBehaviour = (typeof BANK_ACCOUNT_BEHAVIOURS)[number];

/** A bank account with a known outcome. No real account has one of these numbers. */
export interface TestBankAccount {
  /** ISO 13616, with good check digits. */
  readonly iban: string | null;
  /** Or an account with the number of its bank. */
  readonly accountNumber: string | null;
  readonly routingNumber: string | null;
  readonly behaviour: BankAccountBehaviour;
  /** How a payout ends when everything has happened, as far as the bank is concerned. */
  readonly outcome: 'PAID' | 'REFUSED' | 'RETURNED' | 'CANCELED';
  /** ISO 20022 external reason code. */
  readonly reason: string | null;
  readonly description: string;
}

type Rest = Pick<TestBankAccount, 'behaviour' | 'outcome' | 'reason' | 'description'>;

const byIban = (iban: string, rest: Rest): TestBankAccount => ({
  iban,
  accountNumber: null,
  routingNumber: null,
  ...rest,
});

const TEST_ROUTING_NUMBER = '110000000';

const byNumber = (accountNumber: string, rest: Rest): TestBankAccount => ({
  iban: null,
  accountNumber,
  routingNumber: TEST_ROUTING_NUMBER,
  ...rest,
});

const paid = (description: string, behaviour: BankAccountBehaviour = 'paid'): Rest => ({
  behaviour,
  outcome: 'PAID',
  reason: null,
  description,
});

const refused = (reason: string, description: string, behaviour: BankAccountBehaviour = 'refused'): Rest => ({
  behaviour,
  outcome: 'REFUSED',
  reason,
  description,
});

/**
 * The test bank accounts. Any other account is paid at once. What an account's fault does, it does to the first request of
 * a reference: the repetition is served.
 */
export const TEST_BANK_ACCOUNTS: readonly TestBankAccount[] = [
  byIban('GB57PAYF00000100000001', paid('Paid at once.')),
  byIban('GB30PAYF00000100000002', paid('Accepted; paid later.', 'accepted_then_paid')),
  byIban('GB03PAYF00000100000003', refused('AC01', 'Refused: the bank knows no such account.')),
  byIban('GB73PAYF00000100000004', refused('AC04', 'Refused: the account is closed.')),
  byIban('GB46PAYF00000100000005', refused('AC06', 'Refused: the account is blocked.')),
  byIban('GB19PAYF00000100000006', refused('AM04', 'Refused: the paying account has not enough money.')),
  byIban('GB89PAYF00000100000007', paid('Paid, but the answer never comes.', 'timeout_after_effect')),
  byIban('GB62PAYF00000100000008', {
    behaviour: 'timeout_without_effect',
    outcome: 'CANCELED',
    reason: null,
    description: 'No answer, and nothing happened. Whoever asks finds nothing, and takes it back.',
  }),
  byIban('GB35PAYF00000100000009', {
    behaviour: 'error_before_effect',
    outcome: 'CANCELED',
    reason: null,
    description: 'Error 500, and nothing happened. Whoever asks finds nothing, and takes it back.',
  }),
  byIban('GB08PAYF00000100000010', paid('Paid, but answered with error 500.', 'error_after_effect')),
  byIban('GB78PAYF00000100000011', {
    behaviour: 'paid_then_returned',
    outcome: 'RETURNED',
    reason: 'AC04',
    description: 'Paid at once; returned later, because the account was closed.',
  }),
  byIban(
    'GB51PAYF00000100000012',
    refused('AC04', 'Accepted; refused later: the account is closed.', 'accepted_then_refused'),
  ),
  byIban('GB24PAYF00000100000013', paid('Paid after some seconds, in which the caller waits.', 'slow')),
  byNumber('000123456789', paid('Paid at once.')),
  byNumber('000111111113', refused('AC04', 'Refused: the account is closed.')),
];

const keyOf = (account: {
  readonly iban?: string | null;
  readonly accountNumber?: string | null;
  readonly routingNumber?: string | null;
}): string => account.iban ?? `${account.routingNumber ?? ''}/${account.accountNumber ?? ''}`;

const byKey: ReadonlyMap<string, TestBankAccount> = new Map(
  TEST_BANK_ACCOUNTS.map((account) => [keyOf(account), account]),
);

/** Of an IBAN without spaces, or of an account with the number of its bank. */
export const testBankAccountOf = (account: Parameters<typeof keyOf>[0]): TestBankAccount | undefined =>
  byKey.get(keyOf(account));
