import { electronicFormatIBAN, isValidIBAN } from 'ibantools';

/** Where a merchant is paid out. */
export interface PayoutAccount {
  readonly iban: string;
  readonly name: string;
}

/** The account as a bank takes it, or undefined when its check digits, length or structure are wrong. */
export const readPayoutAccount = ({ iban: written, name }: PayoutAccount): PayoutAccount | undefined => {
  const iban = electronicFormatIBAN(written);
  return iban !== null && isValidIBAN(iban) ? { iban, name } : undefined;
};

const SHOWN = 4;

/** What may be shown: country and the last four, as on a statement. */
export const maskedIban = (iban: string): string => `${iban.slice(0, 2)}••${iban.slice(-SHOWN)}`;
