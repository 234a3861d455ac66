/** What a person types to say who he is, in the one spelling under which it is unique. */
export interface LoginName {
  readonly kind: 'username' | 'email' | 'phone';
  readonly value: string;
}

/** Separators that people write into phone numbers (ITU-T E.123) and that mean nothing. */
const PHONE_SEPARATORS = /[\s().-]/g;

/** NFKC first, so that look-alike code points (full-width letters) are one name; then case, which no mail host keeps apart. */
const folded = (text: string): string => text.normalize('NFKC').trim().toLowerCase();

export const loginNameOf = (login: {
  readonly username?: string | undefined;
  readonly email?: string | undefined;
  readonly phone?: string | undefined;
}): LoginName | undefined => {
  if (login.username !== undefined) return { kind: 'username', value: folded(login.username) };
  if (login.email !== undefined) return { kind: 'email', value: folded(login.email) };
  if (login.phone !== undefined)
    return { kind: 'phone', value: login.phone.normalize('NFKC').replace(PHONE_SEPARATORS, '') };
  return undefined;
};
