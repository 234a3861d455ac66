import { Injectable } from '@nestjs/common';
import type { PaymentMethodType } from '@payflow/contracts';
import { InjectConfig } from '@payflow/service';

import type { AcquirerHealth } from '../domain/routing.js';
import type { PaymentConfig } from '../payment.config.js';
import { AcquirerLines } from './acquirer-lines.js';

const METHODS: ReadonlySet<PaymentMethodType> = new Set(['card', 'bank_redirect']);

/** The acquirers of this installation. */
@Injectable()
export class Acquirers {
  constructor(
    @InjectConfig() private readonly config: PaymentConfig,
    private readonly lines: AcquirerLines,
  ) {}

  /** By name, in the order of the settings. */
  health(): ReadonlyMap<string, AcquirerHealth> {
    return new Map(
      Object.keys(this.config.ACQUIRERS).map((name) => [
        name,
        { methods: METHODS, breaker: this.lines.breakerOf(name) },
      ]),
    );
  }
}
