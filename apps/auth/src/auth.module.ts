import { Module } from '@nestjs/common';
import { MessagingModule, Outbox } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { InjectConfig, ServiceModule } from '@payflow/service';

import { configureDemoParties, configureServiceClients } from './application/configured-parties.js';
import { type AuthConfig, authConfigSchema } from './auth.config.js';
import { Passwords } from './credentials/passwords.js';
import { KeysController } from './http/keys.controller.js';
import { LoginController } from './http/login.controller.js';
import { MerchantsController } from './http/merchants.controller.js';
import { MetadataController } from './http/metadata.controller.js';
import { OauthController } from './http/oauth.controller.js';
import { SigningKeys } from './keys/signing-keys.js';
import { TokenIssuer } from './keys/token-issuer.js';

@Module({
  imports: [
    ServiceModule.forRoot({ name: 'auth', configSchema: authConfigSchema, database: true }),
    MessagingModule.forRoot({
      service: 'auth',
      ownerUrls: {},
      serviceToken: async () => await Promise.reject(new Error('invariant: auth subscribes to nothing')),
    }),
  ],
  controllers: [OauthController, LoginController, KeysController, MetadataController, MerchantsController],
  providers: [SigningKeys, TokenIssuer, Passwords],
})
export class AuthModule {
  constructor(
    private readonly database: Database,
    private readonly keys: SigningKeys,
    private readonly passwords: Passwords,
    private readonly outbox: Outbox,
    @InjectConfig() private readonly config: AuthConfig,
  ) {}

  /** Before the first request: keys to sign with, and the parties that the configuration names. */
  async onModuleInit(): Promise<void> {
    await this.keys.ensure();
    await configureServiceClients(this.database, this.config.SERVICE_CLIENTS);
    if (this.config.DEMO_MODE && this.config.DEMO_DATA)
      await configureDemoParties(this.database, this.passwords, this.outbox, this.config.DEMO_DATA);
  }
}
