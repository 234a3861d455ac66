import { electronicFormatIBAN, isValidIBAN } from 'ibantools';

/** Whom a withdrawal is paid to. */
export type BankAccount =
  | { readonly iban: string; readonly name: string }
  | { readonly accountNumber: string; readonly routingNumber: string; readonly name: string };

/** As people write it: with spaces, in small letters. */
export type WrittenBankAccount = BankAccount;

/** The account as a bank takes it, or undefined when its check digits, length or structure are wrong. */
export const readBankAccount = (written: WrittenBankAccount): BankAccount | undefined => {
  if ('iban' in written) {
    const iban = electronicFormatIBAN(written.iban);
    return iban !== null && isValidIBAN(iban) ? { iban, name: written.name } : undefined;
  }
  return isRoutingNumber(written.routingNumber) ? written : undefined;
};

const ROUTING_WEIGHTS = [3, 7, 1, 3, 7, 1, 3, 7, 1] as const;

/** ABA routing number: nine digits whose weighted sum is a multiple of ten. All zeros would be, and is none. */
const isRoutingNumber = (text: string): boolean => {
  if (!/^\d{9}$/.test(text) || /^0+$/.test(text)) return false;
  const sum = ROUTING_WEIGHTS.reduce((total: number, weight, index) => total + weight * Number(text[index]), 0);
  return sum % 10 === 0;
};

const SHOWN = 4;

/** What may be stored and shown: country and the last four, as on a statement. */
export const maskedBankAccount = (account: BankAccount): string =>
  'iban' in account
    ? `${account.iban.slice(0, 2)}••${account.iban.slice(-SHOWN)}`
    : `••${account.accountNumber.slice(-SHOWN)}`;
