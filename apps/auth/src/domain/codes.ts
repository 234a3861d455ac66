import type { Address } from './login-name.js';

/** What a code may be good for. */
export type CodePurpose = 'verification' | 'password_reset';
/** What people are told, with a code or without one. */
export type MessagePurpose = CodePurpose | 'already_registered';

export const CODE_LIFETIME_MS = 600_000;
/** Of a million codes: whoever guesses has one chance in 200,000 for each code that its owner asks for. */
export const CODE_TRIES_MAX = 5;

export type Channel = 'email' | 'sms';
export const channelOf = (address: Pick<Address, 'kind'>): Channel => (address.kind === 'email' ? 'email' : 'sms');

export interface Message {
  /** Messages have none. */
  readonly subject: string | null;
  readonly text: string;
}

const SUBJECTS = {
  verification: 'Your PayFlow code',
  password_reset: 'Your PayFlow code for a new password',
  already_registered: 'You have a PayFlow account already',
} as const satisfies Record<MessagePurpose, string>;

const textOf = (purpose: MessagePurpose, code: string | null, account: string): string => {
  switch (purpose) {
    case 'verification':
      return `Your PayFlow code is ${code ?? ''}, for the account ${account}. It is good for 10 minutes. If you did not ask for it, do not type it anywhere: somebody has given your address.`;
    case 'password_reset':
      return `Your code for a new PayFlow password is ${code ?? ''}, for the account ${account}. It is good for 10 minutes. If you did not ask for it, do nothing: your password stays.`;
    case 'already_registered':
      return 'Somebody, perhaps you, opened a PayFlow account with this address. You have one already: log in, or ask for a new password. If it was not you, do nothing.';
  }
};

/** @param account whose code it is: several may have given this address, and the code of each is good for his own */
export const messageOf = (
  purpose: MessagePurpose,
  channel: Channel,
  code: string | null,
  account: string,
): Message => ({
  subject: channel === 'email' ? SUBJECTS[purpose] : null,
  text: textOf(purpose, code, account),
});
