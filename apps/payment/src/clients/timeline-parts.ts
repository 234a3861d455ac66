import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { ServiceClient } from '@payflow/clients';
import { type TimelinePart, timelinePartSchema } from '@payflow/contracts';
import { InjectConfig, Logger } from '@payflow/service';

import type { PaymentConfig } from '../payment.config.js';
import { ServiceCalls } from './service-calls.js';

/** Whoever takes longer is named as missing: a timeline that waits for everybody is read by nobody. */
const DEADLINE_MS = 1_500;
const CONNECTIONS_MAX = 16;

export interface NamedPart {
  readonly service: string;
  /** Undefined: it did not answer in time. */
  readonly part: TimelinePart | undefined;
}

/** What the other services of this installation know of a payment, asked all at once. */
@Injectable()
export class TimelineParts implements OnApplicationShutdown {
  private readonly others: readonly { readonly service: string; readonly client: ServiceClient }[];

  constructor(
    calls: ServiceCalls,
    private readonly logger: Logger,
    @InjectConfig() config: PaymentConfig,
  ) {
    const urls = {
      fraud: config.FRAUD_URL,
      ledger: config.LEDGER_URL,
      notification: config.NOTIFICATION_URL,
      settlement: config.SETTLEMENT_URL,
    };
    this.others = Object.entries(urls).flatMap(([service, url]) =>
      url === undefined
        ? []
        : [
            {
              service,
              client: new ServiceClient({
                service,
                url,
                accessToken: calls.accessToken,
                connectionsMax: CONNECTIONS_MAX,
              }),
            },
          ],
    );
  }

  async of(paymentId: string): Promise<readonly NamedPart[]> {
    return await Promise.all(
      this.others.map(async ({ service, client }) => ({
        service,
        part: await this.partOf(service, client, paymentId),
      })),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.others.map(async ({ client }) => await client.close()));
  }

  private async partOf(service: string, client: ServiceClient, paymentId: string): Promise<TimelinePart | undefined> {
    try {
      const path = `/internal/timeline/${encodeURIComponent(paymentId)}`;
      return await client.request({ method: 'GET', path, timeoutMs: DEADLINE_MS, answer: timelinePartSchema });
    } catch (error) {
      this.logger.warn({ err: error, service, paymentId }, "a service's part of a timeline is missing");
      return undefined;
    }
  }
}
