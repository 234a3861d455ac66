import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { SUBSCRIPTIONS } from './subscriptions.ts';

const apps = join(import.meta.dirname, '..', '..', 'apps');

/** Each service's `@Subscription`s: how many there are, since a consumer's name may be a constant. */
const subscriptionsIn = (service: string): number =>
  readdirSync(join(apps, service, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(apps, service, 'src', file), 'utf8').split('@Subscription(').length - 1)
    .reduce((sum, count) => sum + count, 0);

describe('the subscriptions that the audit follows', () => {
  it('are those of the services', () => {
    const counted = readdirSync(apps).map((service) => [service, subscriptionsIn(service)] as const);
    const known = readdirSync(apps).map(
      (service) => [service, SUBSCRIPTIONS.filter((one) => one.service === service).length] as const,
    );
    expect(known).toEqual(counted);
  });
});
