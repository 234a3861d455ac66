import type { FraudListKind } from '@payflow/contracts';

import { networkOf, textOfNetwork } from './address.js';
import type { Facts } from './facts.js';

const SHAPES = {
  fingerprint: /^[\w+/=.:-]{1,128}$/,
  email: /^[^\s@]{0,64}@[^\s@]{1,190}$/,
  user: /^usr_[0-9a-z]{26}$/,
  bin: /^\d{6,8}$/,
  country: /^[A-Z]{2}$/,
} as const satisfies Readonly<Record<Exclude<FraudListKind, 'ip'>, RegExp>>;

/** The one way in which a list keeps a value; undefined when the kind has no such value. */
export const listValueOf = (kind: FraudListKind, text: string): string | undefined => {
  if (kind === 'ip') {
    const network = networkOf(text);
    return network === undefined ? undefined : textOfNetwork(network);
  }
  const value = kind === 'email' ? text.toLowerCase() : text;
  return SHAPES[kind].test(value) ? value : undefined;
};

const BIN_LENGTHS = [6, 7, 8];

/** Under which values a payment may be in the lists; its address is looked for by network. */
export const listValuesOf = ({
  fields,
}: Facts): readonly { readonly kind: FraudListKind; readonly value: string }[] => {
  const { fingerprint, email, emailDomain, userId, bin, cardCountry } = fields;
  const bins = BIN_LENGTHS.flatMap((length) => (bin !== null && bin.length >= length ? bin.slice(0, length) : []));
  const values: readonly (readonly [FraudListKind, string | null])[] = [
    ['fingerprint', fingerprint],
    ['email', email],
    ['email', emailDomain === null ? null : `@${emailDomain}`],
    ['user', userId],
    ['country', cardCountry],
    ...bins.map((prefix) => ['bin', prefix] as const),
  ];
  return values.flatMap(([kind, value]) => (value === null ? [] : { kind, value }));
};
