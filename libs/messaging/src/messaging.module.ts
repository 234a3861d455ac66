import { type DynamicModule, Module } from '@nestjs/common';
import type { AggregateKind } from '@payflow/contracts';

import type { MessagingSettings } from './settings.js';
import { MESSAGING_DEFAULTS } from './settings.js';
import { Outbox } from './outbox/outbox.js';

export interface MessagingOptions {
  readonly service: string;
  /** Where each kind's events can be asked for when Kafka does not bring them. */
  readonly ownerUrls: Partial<Record<AggregateKind, string>>;
  /** An access token with the scope `internal`. */
  readonly serviceToken: () => Promise<string>;
  readonly settings?: Partial<MessagingSettings>;
}

@Module({})
export class MessagingModule {
  static forRoot(options: MessagingOptions): DynamicModule {
    const outbox = {
      provide: Outbox,
      useFactory: () => new Outbox(options.service, MESSAGING_DEFAULTS.messageBytesMax, () => undefined),
    };
    return { module: MessagingModule, global: true, providers: [outbox], exports: [Outbox] };
  }
}
