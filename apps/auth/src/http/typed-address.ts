import { type Address, addressOf, newAddressOf } from '../domain/login-name.js';
import { fieldProblem } from './field-problem.js';

interface Typed {
  readonly email?: string | undefined;
  readonly phone?: string | undefined;
}

/** To look something up by: one that nobody can have finds nobody. */
export const typedAddress = (body: Typed): Address => {
  const address = addressOf(body);
  if (!address) throw new Error('invariant: the schema asks for one address');
  return address;
};

/**
 * To be somebody's from now on.
 *
 * @throws Problem validation_failed
 */
export const usableAddresses = ({ email, phone }: Typed): readonly Address[] =>
  [email === undefined ? undefined : { email }, phone === undefined ? undefined : { phone }].flatMap((typed) => {
    const address = typed && newAddressOf(typed);
    if (!address) return [];
    if (!address.usable) throw fieldProblem(address.field, `unusable_${address.field}`, address.reason);
    return [address.name];
  });
