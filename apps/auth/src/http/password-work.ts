import { Problem } from '@payflow/service';

import { type Passwords, TooManyPasswordsError } from '../credentials/passwords.js';

/** What argon2id has no room for now is to be sent again. */
export const withRoom = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TooManyPasswordsError)) throw error;
    throw new Problem('dependency_unavailable', { detail: 'Too many passwords are being checked.', cause: error });
  }
};

/** @throws Problem dependency_unavailable */
export const hashedPassword = async (passwords: Passwords, password: string): Promise<string> =>
  await withRoom(async () => await passwords.hash(password));
