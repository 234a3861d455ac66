import { Injectable } from '@nestjs/common';
import { type PaymentMethodRequest, type SwappedCard, swappedCardIn } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Idempotency, type RequestIdentity } from '@payflow/service';

import type { Judgement } from '../domain/judgement.js';
import type { MethodCheck } from '../processors/payment-processor.js';
import { ProcessorFactory } from '../processors/processor-factory.js';
import type { CommandRequest } from './command-request.js';
import { type JudgedPayment, JudgePayments, type Payer, payerOf } from './judge-payments.js';
import { RoutePayments, type Router } from './route-payments.js';

/** A payment that is about to be authorized, as it was when others were asked about it. */
export interface CheckedPayment extends JudgedPayment {
  readonly version: number;
}

/** An intent has what its merchant said of the payer. */
type AskedPayment = CheckedPayment & { readonly payerEmail?: string | null };

/** What others said of an authorization before anything was written. */
export interface AuthorizationCheck {
  readonly method: MethodCheck;
  readonly router: Router;
  readonly payer: Payer;
  /** Whoever authorizes with this method has paid, whether or not a sale was asked for. */
  readonly paidAtOnce: boolean;
  /**
   * What fraud says of the payment as it is now; undefined where nobody judges. Known already, unless the payment is
   * another by now, or the request was wrongly taken for a repetition.
   */
  readonly judgementOn: (payment: CheckedPayment) => Promise<Judgement | undefined>;
}

type Authorizing = CommandRequest<{
  readonly paymentMethod: PaymentMethodRequest;
  readonly email?: string | undefined;
}>;

/**
 * Asks whoever has a say before the intent is committed: the vault about the token, then fraud, which judges the card that
 * the vault names. A card that the gateway has just put there needs no vault, so mostly fraud is the only one who is waited
 * for. Nothing is held meanwhile.
 */
@Injectable()
export class AuthorizationChecks {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly processors: ProcessorFactory,
    private readonly routing: RoutePayments,
    private readonly judging: JudgePayments,
  ) {}

  /** @param mayGoOn false: what the payment is rules an authorization out, so that fraud need not hear of it */
  async of(
    payment: AskedPayment,
    request: Authorizing,
    identity: RequestIdentity,
    mayGoOn = true,
  ): Promise<AuthorizationCheck> {
    const { paymentMethod } = request.body;
    const [method, isRepetition, router] = await Promise.all([
      this.processors.check(paymentMethod, { ...payment, ...confirmationOf(request) }),
      this.isRepetition(identity),
      this.routing.router(),
    ]);
    const payer = payerOf(request, payment.payerEmail ?? null);
    const judge = async (judged: CheckedPayment): Promise<Judgement | undefined> =>
      method.usable ? await this.judging.judge(judged, method.paymentMethod, payer) : undefined;
    const judgement = mayGoOn && !isRepetition ? await judge(payment) : undefined;
    return {
      method,
      router,
      payer,
      paidAtOnce: this.processors.processorFor(paymentMethod.type).paidAtOnce,
      judgementOn: async (current) =>
        judgement !== undefined && current.version === payment.version ? judgement : await judge(current),
    };
  }

  /** A repetition gets the answer of the first, whose payment has another id: fraud would count one payer twice. */
  private async isRepetition(identity: RequestIdentity): Promise<boolean> {
    return this.judging.judges && (await this.idempotency.isRepetition(this.database, identity));
  }
}

/** Who asks, as far as a payment method depends on it. */
const confirmationOf = ({
  meta,
  principal,
}: CommandRequest<unknown>): {
  readonly confirmedBy: string | null;
  readonly swappedCard: SwappedCard | undefined;
} => ({
  confirmedBy: principal.kind === 'user' ? principal.id : null,
  swappedCard: meta.swappedCard === undefined ? undefined : swappedCardIn(meta.swappedCard),
});
