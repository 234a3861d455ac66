import { Injectable } from '@nestjs/common';
import type {
  ExplainedRouteResponse,
  ExplainRouteRequest,
  RoutingRulesResponse,
  SetRoutingRulesRequest,
} from '@payflow/contracts';
import { Database, isUniqueViolation, type Tx } from '@payflow/postgres';
import { entityTag, Idempotency, Problem, requireVersion, type StoredAnswer } from '@payflow/service';

import { Acquirers } from '../clients/acquirers.js';
import { routeFor, type RoutingFacts, unknownAcquirers } from '../domain/routing.js';
import { insertRoutingRules, type RoutingRulesRow } from '../store/routing-rules.js';
import { type CommandRequest, identityOf } from './command-request.js';
import { RoutingRulesCache } from './routing-rules.js';

const LEASE_MS = 5_000;

/** The acquirers that a payment is tried at, in their order; none when no acquirer takes it. */
export type Router = (facts: RoutingFacts) => readonly string[];

/** GET and PUT /routing/rules, POST /routing/explain, and the route of each payment. */
@Injectable()
export class RoutePayments {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly rules: RoutingRulesCache,
    private readonly acquirers: Acquirers,
  ) {}

  /** Fetched before a transaction, so that it needs none of its own inside it. */
  async router(): Promise<Router> {
    const rules = await this.rules.current();
    return (facts) => routeFor(rules, facts, this.acquirers.health()).route;
  }

  async read(): Promise<RoutingRulesResponse> {
    return await this.rules.latest(this.database);
  }

  /** Adds a version; the ones before stay as they were. */
  async set(request: CommandRequest<SetRoutingRulesRequest>): Promise<StoredAnswer> {
    const { body, principal, meta } = request;
    requireKnown(body, new Set(this.acquirers.health().keys()));
    const identity = identityOf(this.idempotency, request);
    const options = { resourceId: 'routing_rules', leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, async (tx) => {
      const { version } = await this.rules.latest(tx);
      requireVersion(meta.ifMatch, version);
      const row: RoutingRulesRow = {
        version: BigInt(version) + 1n,
        rules: body,
        created_at: new Date(),
        created_by: principal.id,
      };
      await insert(tx, row);
      tx.onCommit(() => {
        this.rules.learn(row);
      });
      return { status: 200, body: this.rules.viewOf(row), headers: { etag: entityTag(row.version) } };
    });
  }

  /** What this instance would do now with such a payment. */
  async explain(question: ExplainRouteRequest): Promise<ExplainedRouteResponse> {
    const rules = await this.read();
    const health = this.acquirers.health();
    const facts: RoutingFacts = {
      amountMinor: BigInt(question.amount),
      currency: question.currency,
      methodType: question.paymentMethodType,
      brand: question.brand ?? null,
      merchantId: question.merchantId ?? null,
    };
    const { route, ruleId, reasons } = routeFor(rules, facts, health);
    return {
      route: [...route],
      rule: ruleId,
      version: rules.version,
      reasons: [...reasons],
      acquirers: [...health].map(([name, { breaker }]) => ({
        name,
        healthy: breaker !== 'open' && !rules.disabled.includes(name),
        breaker,
      })),
    };
  }
}

/** @throws Problem validation_failed that points at each unknown name */
const requireKnown = (rules: SetRoutingRulesRequest, known: ReadonlySet<string>): void => {
  const unknown = unknownAcquirers(rules, known);
  if (unknown.length === 0) return;
  throw new Problem('validation_failed', {
    errors: unknown.map(({ pointer, name }) => ({
      pointer,
      code: 'acquirer_unknown',
      message: `there is no acquirer ${name}; there are ${[...known].join(', ')}`,
    })),
  });
};

const insert = async (tx: Tx, row: RoutingRulesRow): Promise<void> => {
  try {
    await insertRoutingRules(tx, row);
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new Problem('concurrent_update', { detail: 'Somebody else changed the rules at the same moment.' });
  }
};
