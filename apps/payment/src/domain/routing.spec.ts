import { describe, expect, it } from '@jest/globals';
import { setRoutingRulesSchema } from '@payflow/contracts';

import {
  type AcquirerHealth,
  type BreakerState,
  routeFor,
  type RoutingFacts,
  type RoutingRules,
  unknownAcquirers,
} from './routing.js';

const MERCHANT = 'mer_01kxyz6w3hf8btq2v9m4n7r5sd';
const OTHER_MERCHANT = 'mer_01kxyz6w3hf8btq2v9m4n7r5se';

const facts = (over: Partial<RoutingFacts> = {}): RoutingFacts => ({
  amountMinor: 1000n,
  currency: 'EUR',
  methodType: 'card',
  brand: 'visa',
  merchantId: MERCHANT,
  ...over,
});

/** As they come through the door. */
const rules = (over: Readonly<Record<string, unknown>> = {}): RoutingRules =>
  setRoutingRulesSchema.parse({ rules: [], otherwise: ['sim', 'sim2', 'stripe'], ...over });

const health = (
  breakers: Readonly<Record<string, BreakerState>> = { sim: 'closed', sim2: 'closed', stripe: 'closed' },
): ReadonlyMap<string, AcquirerHealth> =>
  new Map(
    Object.entries(breakers).map(([name, breaker]) => [
      name,
      { methods: new Set(name === 'stripe' ? (['card'] as const) : (['card', 'bank_redirect'] as const)), breaker },
    ]),
  );

describe('the conditions of a routing rule', () => {
  const when = { currencies: ['EUR'], brands: ['visa', 'mastercard'], methods: ['card'], merchantIds: [MERCHANT] };
  const rule = { id: 'euro-cards', when: { ...when, amountMin: 1000, amountMax: 2000 }, acquirers: ['sim2', 'sim'] };

  it.each<[string, Partial<RoutingFacts>, string | undefined]>([
    ['everything named is met', {}, undefined],
    ['the largest amount is met', { amountMinor: 2000n }, undefined],
    ['the currency is another', { currency: 'USD' }, 'currency USD'],
    ['the method is another', { methodType: 'bank_redirect', brand: null }, 'method bank_redirect'],
    ['the brand is another', { brand: 'amex' }, 'card brand amex'],
    ['the brand is not known', { brand: null }, 'no card brand'],
    ['the merchant is another', { merchantId: OTHER_MERCHANT }, 'another merchant'],
    ['no merchant is asked about', { merchantId: null }, 'no merchant'],
    ['the amount is below', { amountMinor: 999n }, 'amount below 1000'],
    ['the amount is above', { amountMinor: 2001n }, 'amount above 2000'],
  ])('%s', (_, over, mismatch) => {
    const routed = routeFor(rules({ rules: [rule] }), facts(over), health());
    if (mismatch === undefined) {
      expect(routed).toEqual({ route: ['sim2', 'sim'], ruleId: 'euro-cards', reasons: ['rule euro-cards fits'] });
    } else {
      expect(routed).toMatchObject({ ruleId: null });
      expect(routed.reasons[0]).toBe(`rule euro-cards does not fit: ${mismatch}`);
    }
  });

  it('are none for a rule that is for every payment', () => {
    const everything = rules({ rules: [{ id: 'all', when: {}, acquirers: ['sim2'] }] });
    expect(routeFor(everything, facts({ brand: null, merchantId: null }), health()).route).toEqual(['sim2']);
  });
});

describe('the route of a payment', () => {
  it('is that of the first rule that fits', () => {
    const two = rules({
      rules: [
        { id: 'amex', when: { brands: ['amex'] }, acquirers: ['stripe'] },
        { id: 'euro', when: { currencies: ['EUR'] }, acquirers: ['sim2'] },
        { id: 'euro-again', when: { currencies: ['EUR'] }, acquirers: ['sim'] },
      ],
    });
    expect(routeFor(two, facts(), health())).toEqual({
      route: ['sim2'],
      ruleId: 'euro',
      reasons: ['rule amex does not fit: card brand visa', 'rule euro fits'],
    });
  });

  it('is the one of otherwise when no rule fits', () => {
    expect(routeFor(rules(), facts(), health())).toEqual({
      route: ['sim', 'sim2', 'stripe'],
      ruleId: null,
      reasons: ['no rule fits: the acquirers of otherwise'],
    });
  });

  it('ends with the acquirers whose breaker is open, in their order', () => {
    const routed = routeFor(rules(), facts(), health({ sim: 'open', sim2: 'closed', stripe: 'open' }));
    expect(routed.route).toEqual(['sim2', 'sim', 'stripe']);
    expect(routed.reasons).toContain('sim goes last: its breaker is open');
  });

  it('tries an acquirer in its place once it was left alone for long enough', () => {
    const routed = routeFor(rules(), facts(), health({ sim: 'half_open', sim2: 'closed', stripe: 'closed' }));
    expect(routed.route).toEqual(['sim', 'sim2', 'stripe']);
  });

  it('keeps its order when every breaker is open', () => {
    const routed = routeFor(rules(), facts(), health({ sim: 'open', sim2: 'open', stripe: 'open' }));
    expect(routed.route).toEqual(['sim', 'sim2', 'stripe']);
  });

  it.each<[string, RoutingRules, Partial<RoutingFacts>, readonly string[], string]>([
    ['disabled', rules({ disabled: ['sim'] }), {}, ['sim2', 'stripe'], 'sim is disabled'],
    [
      'for other methods',
      rules(),
      { methodType: 'bank_redirect', brand: null },
      ['sim', 'sim2'],
      'stripe does not take bank_redirect',
    ],
    ['gone', rules({ otherwise: ['old', 'sim'] }), {}, ['sim'], 'old is not in the settings (any more)'],
  ])('leaves out an acquirer that is %s', (_, given, over, route, reason) => {
    const routed = routeFor(given, facts(over), health());
    expect(routed.route).toEqual(route);
    expect(routed.reasons).toContain(reason);
  });

  it('is empty when no acquirer is left', () => {
    expect(routeFor(rules({ disabled: ['sim', 'sim2', 'stripe'] }), facts(), health()).route).toEqual([]);
  });
});

describe('rules that are set', () => {
  it('may not name acquirers that the settings do not know', () => {
    const given = rules({
      rules: [{ id: 'one', when: {}, acquirers: ['sim', 'simm'] }],
      otherwise: ['strip'],
      disabled: ['old'],
    });
    expect(unknownAcquirers(given, new Set(['sim', 'sim2']))).toEqual([
      { pointer: '/rules/0/acquirers/1', name: 'simm' },
      { pointer: '/otherwise/0', name: 'strip' },
      { pointer: '/disabled/0', name: 'old' },
    ]);
  });
});
