import { randomInt } from 'node:crypto';

/** Without 0, 1, i, l, o and u, which are mistaken for each other or make words. */
const LETTERS = '23456789abcdefghjkmnpqrstvwxyz';
const GROUP = 5;
const COUNT = 10;

const group = (): string => Array.from({ length: GROUP }, () => LETTERS.charAt(randomInt(LETTERS.length))).join('');

/** Ten codes of 49 bits each: too many to try, few enough to write down. */
export const newRecoveryCodes = (): readonly string[] => Array.from({ length: COUNT }, () => `${group()}-${group()}`);

/** As people type it. */
export const plainRecoveryCode = (typed: string): string => {
  const letters = typed.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return `${letters.slice(0, GROUP)}-${letters.slice(GROUP)}`;
};
