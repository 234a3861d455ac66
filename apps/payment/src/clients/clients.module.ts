import { Module } from '@nestjs/common';
import { LedgerClient, VaultClient } from '@payflow/clients';

import { AcquirerLines } from './acquirer-lines.js';
import { Acquirers } from './acquirers.js';
import { CardForwarder } from './card-forwarder.js';
import { ServiceCalls } from './service-calls.js';
import { TimelineParts } from './timeline-parts.js';

@Module({
  providers: [
    ServiceCalls,
    { provide: VaultClient, inject: [ServiceCalls], useFactory: ({ vault }: ServiceCalls) => vault },
    { provide: LedgerClient, inject: [ServiceCalls], useFactory: ({ ledger }: ServiceCalls) => ledger },
    TimelineParts,
    AcquirerLines,
    CardForwarder,
    Acquirers,
  ],
  exports: [ServiceCalls, VaultClient, LedgerClient, Acquirers, TimelineParts],
})
export class ClientsModule {}
