import { isIP } from 'node:net';

import { Injectable } from '@nestjs/common';
import { RemoteProblem } from '@payflow/clients';
import type { FraudDecision, FraudDecisionRequest } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
import { InjectConfig, Logger, Metrics } from '@payflow/service';
import { Counter } from 'prom-client';

import type { FraudClient } from '../clients/fraud-client.js';
import { ServiceCalls } from '../clients/service-calls.js';
import { unjudged } from '../domain/fraud.js';
import type { Judgement } from '../domain/judgement.js';
import type { PaymentMethod } from '../domain/payment.js';
import type { PaymentConfig } from '../payment.config.js';
import type { CommandRequest } from './command-request.js';
import { FraudPolicies } from './fraud-policies.js';

/** A payment as far as it is judged. */
export interface JudgedPayment {
  readonly paymentId: string;
  readonly merchantId: string;
  readonly userId: string | null;
  readonly amountMinor: bigint;
  readonly currency: string;
}

/** What was told of who pays, beside the payment. It is for fraud alone: no event, answer or log has it. */
export interface Payer {
  readonly ip: string | null;
  readonly ipCountry: string | null;
  readonly email: string | null;
}

const COUNTRY = /^[A-Z]{2}$/;

/** Nobody waits for it: a payment that could not be judged in time. */
const PATIENT_MS = 2_000;

/**
 * Fraud has judged this very payment with another card or amount, for a request that came to nothing. What it said then
 * must not count for this one, and a subject is judged once: whoever means it honestly makes another payment.
 */
const OTHERWISE_JUDGED: Judgement = {
  decisionId: null,
  outcome: 'BLOCK',
  score: 0,
  reasons: [],
  rulesVersion: null,
  policy: 'refuse',
};

/** Asks fraud about a payment before any acquirer is asked; and where it does not answer in time, the merchant's policy. */
@Injectable()
export class JudgePayments {
  private readonly fraud: FraudClient | undefined;
  private readonly checks: Counter<'outcome' | 'by'>;

  constructor(
    services: ServiceCalls,
    metrics: Metrics,
    private readonly policies: FraudPolicies,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: PaymentConfig,
  ) {
    this.fraud = services.fraud;
    this.checks = new Counter({
      name: 'payflow_fraud_checks_total',
      help: 'Payments by what was said of them, and by whom: fraud, or the policy for when it does not answer.',
      labelNames: ['outcome', 'by'],
      registers: [metrics],
    });
  }

  /** Whether there is anybody to judge. */
  get judges(): boolean {
    return this.fraud !== undefined;
  }

  /** Undefined where nobody judges. Within the budget; what is asked twice is answered the same. */
  async judge(payment: JudgedPayment, paymentMethod: PaymentMethod, payer: Payer): Promise<Judgement | undefined> {
    if (!this.fraud) return undefined;
    const request = requestOf(payment, paymentMethod, payer);
    const asked = await this.ask(this.fraud, request, this.config.FRAUD_BUDGET_MS);
    const judgement = asked ?? unjudged(await this.policies.of(payment.merchantId), payment.amountMinor, new Date());
    this.checks.inc({ outcome: judgement.outcome, by: asked ? 'fraud' : 'policy' });
    return judgement;
  }

  /** Undefined while fraud does not answer. */
  async judgeAgain(payment: JudgedPayment, paymentMethod: PaymentMethod, payer: Payer): Promise<Judgement | undefined> {
    return this.fraud && (await this.ask(this.fraud, requestOf(payment, paymentMethod, payer), PATIENT_MS));
  }

  private async ask(
    fraud: FraudClient,
    request: FraudDecisionRequest,
    timeoutMs: number,
  ): Promise<Judgement | undefined> {
    try {
      return judgementOf(await fraud.decide(request, timeoutMs));
    } catch (error) {
      if (error instanceof RemoteProblem && error.code === 'idempotency_key_reused') return OTHERWISE_JUDGED;
      // Safe to go on: the policy decides, and the payment's history says that nobody has judged it.
      this.logger.warn({ err: error }, 'fraud did not judge a payment');
      return undefined;
    }
  }
}

/**
 * The address of a merchant's server says nothing about the payer, nor does its country. An email may come from either:
 * what the merchant has said of his customer holds before what a browser says of itself.
 *
 * @param emailOfIntent what the merchant said when he made the intent
 */
export const payerOf = (
  { principal, meta, body }: CommandRequest<{ readonly email?: string | undefined }>,
  emailOfIntent: string | null,
): Payer => {
  const email = body.email ?? null;
  if (principal.scopes.includes('payments:write')) return { ip: null, ipCountry: null, email: email ?? emailOfIntent };
  const { forwardedFor, clientCountry } = meta;
  const ip = forwardedFor !== undefined && isIP(forwardedFor) !== 0 ? forwardedFor : null;
  const ipCountry = clientCountry !== undefined && COUNTRY.test(clientCountry) ? clientCountry : null;
  return { ip, ipCountry, email: emailOfIntent ?? email };
};

const requestOf = (
  { paymentId, merchantId, userId, amountMinor, currency }: JudgedPayment,
  { type, brand, bin, last4, fingerprint, wallet }: PaymentMethod,
  { ip, ipCountry, email }: Payer,
): FraudDecisionRequest => ({
  subject: 'payment',
  subjectId: paymentId,
  merchantId,
  userId,
  amount: minorToJson(amountMinor),
  currency,
  method: { type, brand, bin: bin ?? null, last4, fingerprint, country: null, walletId: wallet?.walletId ?? null },
  ip,
  ...(ipCountry === null ? {} : { ipCountry }),
  email,
  at: new Date().toISOString(),
});

const judgementOf = (decision: FraudDecision): Judgement => {
  const { decisionId, outcome, score, reasons, rulesVersion, reviewId, decideBy } = decision;
  const check = { decisionId, score, reasons, rulesVersion, policy: null };
  if (outcome !== 'REVIEW') return { ...check, outcome };
  if (reviewId === null || decideBy === null) throw new Error(`${decisionId} is for people, but names no review`);
  return { ...check, outcome, reviewId, decideBy: new Date(decideBy) };
};
