import {
  type PaymentMethodType,
  type RoutingRule,
  type RoutingRulesResponse,
  WALLET_ACQUIRER,
} from '@payflow/contracts';

/**
 * Which acquirers a payment may be tried at, and in which order. Rules are data: the first that fits decides, what no
 * rule fits goes the way of `otherwise`. What the acquirers' state changes about it is decided here too, so that an
 * explanation and a payment never differ.
 */
export type RoutingRules = Pick<RoutingRulesResponse, 'rules' | 'otherwise' | 'disabled'>;

/** What is known of a payment before it is sent anywhere. */
export interface RoutingFacts {
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly methodType: PaymentMethodType;
  /** Of a card. */
  readonly brand: string | null;
  /** Null only in a question about no merchant in particular. */
  readonly merchantId: string | null;
}

/** `half_open`: it was left alone long enough, and the next payment finds out. */
export type BreakerState = 'closed' | 'open' | 'half_open';

/** An acquirer of this installation as it stands. */
export interface AcquirerHealth {
  readonly methods: ReadonlySet<PaymentMethodType>;
  readonly breaker: BreakerState;
}

export interface Routed {
  /** Empty: no acquirer takes such a payment. */
  readonly route: readonly string[];
  /** Null: no rule fitted. */
  readonly ruleId: string | null;
  /** One sentence for each thing that shaped the route. */
  readonly reasons: readonly string[];
}

/** The first condition of the rule that the payment does not meet; undefined when it meets them all. */
const mismatch = ({ when }: RoutingRule, facts: RoutingFacts): string | undefined => {
  const { currencies, brands, methods, merchantIds, amountMin, amountMax } = when;
  const names = (values: readonly string[] | undefined, value: string | null): boolean =>
    values === undefined || (value !== null && values.includes(value));
  if (!names(currencies, facts.currency)) return `currency ${facts.currency}`;
  if (!names(methods, facts.methodType)) return `method ${facts.methodType}`;
  if (!names(brands, facts.brand)) return facts.brand === null ? 'no card brand' : `card brand ${facts.brand}`;
  if (!names(merchantIds, facts.merchantId)) return facts.merchantId === null ? 'no merchant' : 'another merchant';
  if (amountMin !== undefined && facts.amountMinor < BigInt(amountMin)) return `amount below ${String(amountMin)}`;
  if (amountMax !== undefined && facts.amountMinor > BigInt(amountMax)) return `amount above ${String(amountMax)}`;
  return undefined;
};

const chosen = (
  { rules, otherwise }: RoutingRules,
  facts: RoutingFacts,
): { readonly acquirers: readonly string[]; readonly ruleId: string | null; readonly reasons: readonly string[] } => {
  const reasons: string[] = [];
  for (const rule of rules) {
    const reason = mismatch(rule, facts);
    if (reason === undefined)
      return { acquirers: rule.acquirers, ruleId: rule.id, reasons: [...reasons, `rule ${rule.id} fits`] };
    reasons.push(`rule ${rule.id} does not fit: ${reason}`);
  }
  return { acquirers: otherwise, ruleId: null, reasons: [...reasons, 'no rule fits: the acquirers of otherwise'] };
};

/** Why an acquirer gets no such payment at all. */
const excluded = (
  name: string,
  rules: RoutingRules,
  facts: RoutingFacts,
  health: ReadonlyMap<string, AcquirerHealth>,
): string | undefined => {
  const known = health.get(name);
  if (!known) return 'is not in the settings (any more)';
  if (rules.disabled.includes(name)) return 'is disabled';
  return known.methods.has(facts.methodType) ? undefined : `does not take ${facts.methodType}`;
};

const ownMoney = (health: ReadonlyMap<string, AcquirerHealth>): Routed => ({
  route: health.has(WALLET_ACQUIRER) ? [WALLET_ACQUIRER] : [],
  ruleId: null,
  reasons: ['the money of a wallet is with the wallet service alone: no rule is asked'],
});

/**
 * The route of a payment. An acquirer whose breaker is open goes last and is not dropped: if the others fail too, trying
 * it costs nothing. A disabled one is dropped.
 */
export const routeFor = (
  rules: RoutingRules,
  facts: RoutingFacts,
  health: ReadonlyMap<string, AcquirerHealth>,
): Routed => {
  if (facts.methodType === 'wallet') return ownMoney(health);
  const { acquirers, ruleId, reasons } = chosen(rules, facts);
  const judged = acquirers.map((name) => ({ name, reason: excluded(name, rules, facts, health) }));
  const candidates = judged.filter(({ reason }) => reason === undefined).map(({ name }) => name);
  const isOpen = (name: string): boolean => health.get(name)?.breaker === 'open';
  const open = candidates.filter(isOpen);
  return {
    route: [...candidates.filter((name) => !isOpen(name)), ...open],
    ruleId,
    reasons: [
      ...reasons,
      ...judged.flatMap(({ name, reason }) => (reason === undefined ? [] : [`${name} ${reason}`])),
      ...open.map((name) => `${name} goes last: its breaker is open`),
    ],
  };
};

/** A name that the settings do not know, and where in the rules it stands. */
export interface UnknownAcquirer {
  readonly pointer: string;
  readonly name: string;
}

/** Names that no acquirer of the settings has: a slip of the pen would otherwise leave payments without a way. */
export const unknownAcquirers = (rules: RoutingRules, known: ReadonlySet<string>): readonly UnknownAcquirer[] => {
  const unknownIn = (names: readonly string[], pointer: string): readonly UnknownAcquirer[] =>
    names.flatMap((name, index) => (known.has(name) ? [] : [{ pointer: `${pointer}/${String(index)}`, name }]));
  return [
    ...rules.rules.flatMap(({ acquirers }, index) => unknownIn(acquirers, `/rules/${String(index)}/acquirers`)),
    ...unknownIn(rules.otherwise, '/otherwise'),
    ...unknownIn(rules.disabled, '/disabled'),
  ];
};
