import { COMMON_PASSWORDS } from './common-passwords.js';

/**
 * Why a password is not taken (NIST SP 800-63B §3.1.1.2: no rules of composition, and a list of those that everybody
 * tries first), or undefined. The names of the account count as such too.
 */
export const weaknessOf = (password: string, names: readonly string[]): string | undefined => {
  const plain = password.normalize('NFKC').toLowerCase();
  if (COMMON_PASSWORDS.has(plain)) return 'is one of the passwords that everybody tries first';
  if (new Set(plain).size === 1) return 'is one character repeated';
  const own = names.flatMap((name) => [name, name.split('@')[0] ?? name]);
  return own.includes(plain) ? 'is a name of the account' : undefined;
};
