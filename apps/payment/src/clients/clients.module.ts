import { Module } from '@nestjs/common';
import { LedgerClient, VaultClient } from '@payflow/clients';

import { AcquirerClient } from './acquirer.js';
import { AcquirerLines } from './acquirer-lines.js';
import { Acquirers } from './acquirers.js';
import { ServiceCalls } from './service-calls.js';

@Module({
  providers: [
    ServiceCalls,
    { provide: VaultClient, inject: [ServiceCalls], useFactory: ({ vault }: ServiceCalls) => vault },
    { provide: LedgerClient, inject: [ServiceCalls], useFactory: ({ ledger }: ServiceCalls) => ledger },
    AcquirerLines,
    AcquirerClient,
    Acquirers,
  ],
  exports: [ServiceCalls, VaultClient, LedgerClient, AcquirerLines, AcquirerClient, Acquirers],
})
export class ClientsModule {}
