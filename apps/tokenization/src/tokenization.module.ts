import { Module } from '@nestjs/common';
import { MessagingModule } from '@payflow/messaging';
import { ServiceModule } from '@payflow/service';

import { ClearCards } from './application/clear-cards.js';
import { CreateToken } from './application/create-token.js';
import { CvcMemory } from './application/cvc-memory.js';
import { DeleteToken } from './application/delete-token.js';
import { EraseSpentCards } from './application/erase-spent-cards.js';
import { ForwardCard } from './application/forward-card.js';
import { KeyRing } from './application/key-ring.js';
import { OpenVault } from './application/open-vault.js';
import { ReadTokens } from './application/read-tokens.js';
import { RotateKeys } from './application/rotate-keys.js';
import { UpdateToken } from './application/update-token.js';
import { VaultRequests } from './application/vault-requests.js';
import { Acquirers } from './clients/acquirers.js';
import { TokensController } from './http/tokens.controller.js';
import { VaultController } from './http/vault.controller.js';
import { tokenizationConfigSchema } from './tokenization.config.js';

@Module({
  imports: [
    ServiceModule.forRoot({ name: 'tokenization', configSchema: tokenizationConfigSchema, database: true }),
    MessagingModule.forRoot({
      service: 'tokenization',
      // Nobody waits for what it tells: its part in each payment is better spent on the next one.
      settings: { relayPaceMs: 100 },
      ownerUrls: {},
      // The vault consumes nobody's events, so it has no credentials for other services either.
      serviceToken: () => Promise.reject(new Error('invariant: the vault asks no other service')),
    }),
  ],
  controllers: [TokensController, VaultController],
  providers: [
    Acquirers,
    ClearCards,
    CreateToken,
    CvcMemory,
    DeleteToken,
    EraseSpentCards,
    ForwardCard,
    KeyRing,
    OpenVault,
    ReadTokens,
    RotateKeys,
    UpdateToken,
    VaultRequests,
  ],
})
export class TokenizationModule {}
