import { parsePhoneNumberFromString } from 'libphonenumber-js';

/** What a person types to say who he is, in the one spelling under which it is unique. */
export interface LoginName {
  readonly kind: 'username' | 'email' | 'phone';
  readonly value: string;
}

/** A mail address or a phone number: what a code can be sent to. */
export interface Address extends LoginName {
  readonly kind: 'email' | 'phone';
}

interface Typed {
  readonly username?: string | undefined;
  readonly email?: string | undefined;
  readonly phone?: string | undefined;
}

/** Separators that people write into phone numbers (ITU-T E.123) and that mean nothing. */
const PHONE_SEPARATORS = /[\s().-]/g;

/** NFKC first, so that look-alike code points (full-width letters) are one name; then case, which no mail host keeps apart. */
const folded = (text: string): string => text.normalize('NFKC').trim().toLowerCase();

/** In E.164 where it is a number; else as it was typed, and then nobody has it. */
const phoneOf = (text: string): string => e164Of(text) ?? text.normalize('NFKC').replace(PHONE_SEPARATORS, '');

const e164Of = (text: string): string | undefined => {
  const number = parsePhoneNumberFromString(text.normalize('NFKC').trim());
  return number?.isValid() === true ? number.number : undefined;
};

/** The name to look an account up by. What nobody can be called finds nobody. */
export const loginNameOf = (login: Typed): LoginName | undefined => {
  if (login.username !== undefined) return { kind: 'username', value: folded(login.username) };
  return addressOf(login);
};

/** The address to look an account up by. */
export const addressOf = (typed: Omit<Typed, 'username'>): Address | undefined => {
  if (typed.email !== undefined) return { kind: 'email', value: folded(typed.email) };
  if (typed.phone !== undefined) return { kind: 'phone', value: phoneOf(typed.phone) };
  return undefined;
};

export type NewName<Name extends LoginName = LoginName> =
  | { readonly usable: true; readonly name: Name }
  | { readonly usable: false; readonly field: LoginName['kind']; readonly reason: string };

/**
 * User names are letters a-z, digits, and single dots, dashes and underscores between them, after NFKC and case folding
 * (RFC 8265 §3.3, narrowed to one script). One script leaves no look-alikes: a Cyrillic or Greek letter is refused, not
 * mapped, and a full-width one is its plain twin already.
 */
const USERNAME = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const USERNAME_LENGTH_MIN = 3;
const USERNAME_LENGTH_MAX = 32;

/** The shape that mail hosts deliver to (RFC 5321 §4.1.2 without quoting and address literals). */
const EMAIL =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;
const EMAIL_LOCAL_LENGTH_MAX = 64;

const unusable = (field: LoginName['kind'], reason: string) => ({ usable: false, field, reason }) as const;

/** A name that an account is to have from now on. */
export const newNameOf = (typed: Typed): NewName | undefined => {
  if (typed.username === undefined) return newAddressOf(typed);
  const value = folded(typed.username);
  if (value.length < USERNAME_LENGTH_MIN || value.length > USERNAME_LENGTH_MAX)
    return unusable('username', `must have ${USERNAME_LENGTH_MIN} to ${USERNAME_LENGTH_MAX} characters`);
  if (!USERNAME.test(value)) return unusable('username', 'may hold letters a-z, digits, and single . _ - between them');
  return { usable: true, name: { kind: 'username', value } };
};

/** An address that an account is to have from now on. */
export const newAddressOf = (typed: Omit<Typed, 'username'>): NewName<Address> | undefined => {
  if (typed.email !== undefined) {
    const value = folded(typed.email);
    const usable = EMAIL.test(value) && value.indexOf('@') <= EMAIL_LOCAL_LENGTH_MAX;
    return usable ? { usable, name: { kind: 'email', value } } : unusable('email', 'is not a mail address');
  }
  if (typed.phone !== undefined) {
    const value = e164Of(typed.phone);
    if (value === undefined) return unusable('phone', 'is not a phone number with its country, like +44 7911 123456');
    return { usable: true, name: { kind: 'phone', value } };
  }
  return undefined;
};
