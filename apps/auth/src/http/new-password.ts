import { Problem } from '@payflow/service';

import { type Passwords, TooManyPasswordsError } from '../credentials/passwords.js';
import { weaknessOf } from '../domain/password-rules.js';
import { fieldProblem } from './field-problem.js';

/**
 * What argon2id has no room for now is to be sent again.
 *
 * @throws Problem dependency_unavailable
 */
export const withRoom = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TooManyPasswordsError)) throw error;
    throw new Problem('dependency_unavailable', { detail: 'Too many passwords are being checked.', cause: error });
  }
};

/** @throws Problem validation_failed | dependency_unavailable */
export const hashOfNewPassword = async (
  passwords: Passwords,
  field: string,
  password: string,
  names: readonly string[],
): Promise<string> => {
  const weakness = weaknessOf(password, names);
  if (weakness !== undefined) throw fieldProblem(field, 'weak_password', weakness);
  return await withRoom(async () => await passwords.hash(password));
};
