import { type EventDefinition, OWNER_OF, aggregateKindOf } from '@payflow/contracts';
import { z } from 'zod';

import { exampleOf } from './schema-example.ts';

const SUFFIX = '01kxyz6w3hf8btq2v9m4n7r5sd';

/** What the name of a field says about its values, where its schema says no more than that it is a text. */
const BY_NAME: Readonly<Record<string, string>> = {
  paymentId: `pay_${SUFFIX}`,
  merchantId: `mer_${SUFFIX}`,
  userId: `usr_${SUFFIX}`,
  fromUserId: `usr_${SUFFIX}`,
  toUserId: 'usr_01kxyz6w3hf8btq2v9m4n7r5se',
  captureId: `cap_${SUFFIX}`,
  refundId: `ref_${SUFFIX}`,
  attemptId: `att_${SUFFIX}`,
  operationId: `cap_${SUFFIX}`,
  tokenId: `tok_${SUFFIX}`,
  disputeId: `dp_${SUFFIX}`,
  decisionId: `fd_${SUFFIX}`,
  ruleId: `frl_${SUFFIX}`,
  reviewId: `frv_${SUFFIX}`,
  settlementId: `set_${SUFFIX}`,
  balanceTransactionId: `bt_${SUFFIX}`,
  payoutId: `po_${SUFFIX}`,
  exceptionId: `sex_${SUFFIX}`,
  runId: `rec_${SUFFIX}`,
  deliveryId: `del_${SUFFIX}`,
  endpointId: `we_${SUFFIX}`,
  eventId: `evt_${SUFFIX}`,
  transactionId: `txn_${SUFFIX}`,
  ledgerTransactionId: `ltx_${SUFFIX}`,
  fromWalletId: `wal_${SUFFIX}`,
  toWalletId: 'wal_01kxyz6w3hf8btq2v9m4n7r5se',
  acquirer: 'sim',
  bank: 'sim',
  source: 'sim',
  currency: 'USD',
  brand: 'visa',
  last4: '4242',
  acquirerReference: 'sim_8f14e45f',
  bankReference: 'BNK-000123',
  redirectUrl: 'https://acquirer.example/challenge',
  address: 'carol@example.com',
  to: 'carol@example.com',
  email: 'carol@example.com',
  username: 'carol',
  phone: '+442083661177',
  codeSealed: 'AbF3x9…',
};

/** Which field names the aggregate. */
const AGGREGATE_FIELD = {
  payment: 'paymentId',
  token: 'tokenId',
  user: 'userId',
  wallet: 'transactionId',
  fraud: 'decisionId',
  settlement: 'settlementId',
  payout: 'payoutId',
  notification: 'deliveryId',
} as const;

export const payloadSchemaOf = ({ payload }: EventDefinition): unknown =>
  z.toJSONSchema(payload, { target: 'draft-2020-12', io: 'input' });

/** An event as it could lie on its topic. A test holds each against its own schema. */
export const exampleEventOf = (definition: EventDefinition): Readonly<Record<string, unknown>> => {
  const payload = named(exampleOf(payloadSchemaOf(definition), {})) as Readonly<Record<string, unknown>>;
  const kind = aggregateKindOf(definition.topic) ?? missing(definition.topic);
  const merchantId = payload['merchantId'] ?? null;
  return {
    eventId: `evt_${SUFFIX}`,
    type: definition.type,
    occurredAt: '2026-02-07T15:04:05.000Z',
    aggregateId: payload[AGGREGATE_FIELD[kind]] ?? payload['exceptionId'] ?? `${OWNER_OF[kind]}_${SUFFIX}`,
    sequence: 2,
    previousSequence: null,
    merchantId,
    correlationId: `req_${SUFFIX}`,
    causationId: null,
    payload,
  };
};

/** Texts that stand for any text get a value that a reader knows. */
const named = (value: unknown, name = ''): unknown => {
  if (Array.isArray(value)) return (value as unknown[]).map((item) => named(item, name));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, named(member, key)]));
  return typeof value === 'string' && /^textx*$/.test(value) ? (BY_NAME[name] ?? value) : value;
};

const missing = (topic: string): never => {
  throw new Error(`invariant: no kind of aggregate has the topic ${topic}`);
};
