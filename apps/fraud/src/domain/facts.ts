import type { FraudDecisionRequest, FraudField, VelocityKey } from '@payflow/contracts';

import { holderOf, type Network, networkOf, textOfNetwork } from './address.js';

/** What is known of a payment before it is judged, each value written in one way. */
export interface Facts {
  readonly merchantId: string | null;
  readonly amount: number;
  readonly currency: string;
  readonly fields: Readonly<Record<FraudField, string | null>>;
  readonly address: Network | undefined;
  /** Only a payment waits for people: whoever moves money between wallets is told no instead. */
  readonly canWait: boolean;
}

export const factsOf = ({ method, ...request }: FraudDecisionRequest): Facts => {
  const address = request.ip === null ? undefined : networkOf(request.ip);
  const email = request.email?.trim().toLowerCase() ?? null;
  return {
    merchantId: request.merchantId,
    amount: request.amount,
    currency: request.currency,
    address,
    canWait: request.subject === 'payment' && request.merchantId !== null,
    fields: {
      currency: request.currency,
      method: method.type,
      brand: method.brand,
      bin: method.bin,
      last4: method.last4,
      fingerprint: method.fingerprint,
      cardCountry: method.country,
      ip: address === undefined ? null : textOfNetwork(address),
      ipCountry: request.ipCountry ?? null,
      email,
      emailDomain: email === null ? null : email.slice(email.lastIndexOf('@') + 1),
      userId: request.userId,
      walletId: method.walletId,
    },
  };
};

/** Who or what is counted: a payment is counted under each of them that it has. */
export const velocityValueOf = ({ fields, merchantId, address }: Facts, key: VelocityKey): string | null => {
  switch (key) {
    case 'fingerprint':
      return fields.fingerprint;
    case 'user':
      return fields.userId;
    case 'merchant':
      return merchantId;
    case 'ip':
      return address === undefined ? null : textOfNetwork(holderOf(address));
  }
};
