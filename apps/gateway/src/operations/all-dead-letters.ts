import { Injectable } from '@nestjs/common';
import { type AllDeadLetters, deadLetterGroupsSchema } from '@payflow/contracts';

import { type Upstream, UPSTREAMS } from '../routing/route-table.js';
import { type Reading, ServiceReads } from './service-reads.js';

/** All that take messages. The simulator stands in for others and takes none. */
export const CONSUMING: readonly Upstream[] = UPSTREAMS.filter((service) => service !== 'acquirer-sim');

/** The dead letters of every service by their cause, the most frequent first. */
@Injectable()
export class AllDeadLettersView {
  constructor(private readonly services: ServiceReads) {}

  async read(authorization: string, status: string): Promise<AllDeadLetters> {
    const readings = await Promise.all(
      CONSUMING.map(async (service) => ({
        service,
        reading: await this.services.read(
          service,
          `/operations/dead-letters/groups?status=${status}`,
          authorization,
          deadLetterGroupsSchema,
        ),
      })),
    );
    const missing = readings.filter(({ reading }) => reading.kind !== 'answered').map(({ service }) => service);
    return {
      data: readings.flatMap(({ reading }) => groupsOf(reading)).sort((a, b) => b.count - a.count),
      complete: missing.length === 0 && readings.every(({ reading }) => isWhole(reading)),
      missing,
    };
  }
}

const groupsOf = (reading: Reading<{ readonly data: AllDeadLetters['data'] }>): AllDeadLetters['data'] =>
  reading.kind === 'answered' ? reading.answer.data : [];

const isWhole = (reading: Reading<{ readonly truncated: boolean }>): boolean =>
  reading.kind === 'answered' && !reading.answer.truncated;
