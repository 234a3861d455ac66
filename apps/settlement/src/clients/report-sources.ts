import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { ServiceUnavailableError } from '@payflow/clients';
import { InjectConfig } from '@payflow/service';
import { Agent, request } from 'undici';

import { bytesOf } from '../reports/report-files.js';
import type { SettlementConfig } from '../settlement.config.js';

const OK_STATUS = 200;
/** For a report of a hundred thousand lines to be written and sent. */
const TIMEOUT_MS = 60_000;

/** Where the other sides tell of their books. */
@Injectable()
export class ReportSources implements OnApplicationShutdown {
  private readonly addresses: ReadonlyMap<string, string>;
  private readonly agent = new Agent({ headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });

  constructor(@InjectConfig() config: SettlementConfig) {
    this.addresses = new Map([
      ...Object.entries(config.ACQUIRERS).map(
        ([name, address]) => [`acquirer:${name}`, `${withoutSlash(address)}/settlement-reports`] as const,
      ),
      [`bank:${config.BANK_NAME}`, `${withoutSlash(config.BANK_URL)}/statements`],
    ]);
  }

  get names(): readonly string[] {
    return [...this.addresses.keys()];
  }

  has(source: string): boolean {
    return this.addresses.has(source);
  }

  /**
   * The report of a period.
   *
   * @throws ServiceUnavailableError | ReportFault when it is too large
   */
  async fetch(source: string, from: Date, to: Date): Promise<Buffer> {
    const address = this.addresses.get(source);
    if (address === undefined) throw new Error(`invariant: ${source} is not configured`);
    const period = new URLSearchParams({ from: from.toISOString(), to: to.toISOString() });
    const answer = await request(`${address}?${period.toString()}`, { dispatcher: this.agent }).catch(
      (error: unknown) => {
        throw new ServiceUnavailableError(source, false, error);
      },
    );
    if (answer.statusCode !== OK_STATUS) {
      await answer.body.dump();
      throw new ServiceUnavailableError(source, false, new Error(`answered ${answer.statusCode}`));
    }
    return await bytesOf(answer.body);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.agent.close();
  }
}

const withoutSlash = (address: string): string => address.replace(/\/$/, '');
