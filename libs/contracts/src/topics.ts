/**
 * Kafka topics by the kind of aggregate whose events they carry. An aggregate's events are numbered 1, 2, 3 … over all
 * topics of its kind, so an ordered consumer subscribes to all of them.
 */
export const TOPICS = {
  payment: [
    'payment.created',
    'payment.authorized',
    'payment.captured',
    'payment.failed',
    'payment.refunded',
    'payment.canceled',
    'payment.expired',
    'payment.requires_action',
    'payment.in_review',
    'payment.stuck',
    'payment.settled',
    'refund.failed',
    'dispute.opened',
    'dispute.updated',
    'dispute.closed',
  ],
  token: ['token.created', 'token.deleted'],
  user: ['user.registered', 'user.verified', 'user.blocked', 'user.unblocked', 'user.code_issued'],
  wallet: ['wallet.transaction'],
  fraud: ['fraud.decided', 'fraud.flagged'],
  settlement: ['settlement.lines', 'settlement.completed', 'settlement.exception'],
  payout: ['payout.created', 'payout.paid', 'payout.failed', 'payout.returned'],
  notification: ['notification.failed'],
} as const;

export type AggregateKind = keyof typeof TOPICS;
export type Topic = (typeof TOPICS)[AggregateKind][number];

/** Where messages go that a consumer cannot apply, one topic for each kind of aggregate. */
export const deadLetterTopicOf = (kind: AggregateKind): string => `${kind}.events.dlq`;

export const aggregateKindOf = (topic: string): AggregateKind | undefined =>
  (Object.keys(TOPICS) as AggregateKind[]).find((kind) => (TOPICS[kind] as readonly string[]).includes(topic));

/** Every topic PayFlow creates, dead letters included. */
export const allTopics = (): readonly string[] => [
  ...Object.values(TOPICS).flat(),
  ...(Object.keys(TOPICS) as AggregateKind[]).map(deadLetterTopicOf),
];

/** Which service owns an aggregate and can tell its past events. */
export const OWNER_OF = {
  payment: 'payment',
  token: 'tokenization',
  user: 'auth',
  wallet: 'wallet',
  fraud: 'fraud',
  settlement: 'settlement',
  payout: 'settlement',
  notification: 'notification',
} as const satisfies Readonly<Record<AggregateKind, string>>;
