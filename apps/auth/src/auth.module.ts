import { Module } from '@nestjs/common';
import { MessagingModule, Outbox } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { InjectConfig, ServiceModule } from '@payflow/service';

import { ChangePassword } from './application/change-password.js';
import { Codes } from './application/codes.js';
import { ProveAddress } from './application/prove-address.js';
import { SecondFactor } from './application/second-factor.js';
import { UpdateAccount } from './application/update-account.js';
import { AccountRequests } from './http/account-requests.js';
import { InternalUsersController } from './http/internal-users.controller.js';
import { MailboxController } from './http/mailbox.controller.js';
import { MeController } from './http/me.controller.js';
import { MyMembershipsController } from './http/my-memberships.controller.js';
import { PasswordController } from './http/password.controller.js';
import { SecondFactorController } from './http/second-factor.controller.js';
import { SessionsController } from './http/sessions.controller.js';
import { AccountKeys } from './application/account-keys.js';
import { ApiKeyUpkeep } from './application/api-key-upkeep.js';
import { ApiKeys } from './application/api-keys.js';
import { configureDemoParties, configureServiceClients } from './application/configured-parties.js';
import { LogIn } from './application/log-in.js';
import { Members } from './application/members.js';
import { Register } from './application/register.js';
import { RevocationJournal } from './application/revocation-journal.js';
import { Sessions } from './application/sessions.js';
import { StaffUsers } from './application/staff-users.js';
import { type AuthConfig, authConfigSchema } from './auth.config.js';
import { Passwords } from './credentials/passwords.js';
import { AuditLogController } from './http/audit-log.controller.js';
import { Deeds } from './http/deeds.js';
import { KeysController } from './http/keys.controller.js';
import { LoginController } from './http/login.controller.js';
import { MerchantClientsController } from './http/merchant-clients.controller.js';
import { MerchantKeysController } from './http/merchant-keys.controller.js';
import { MerchantMembersController } from './http/merchant-members.controller.js';
import { MerchantsController } from './http/merchants.controller.js';
import { MetadataController } from './http/metadata.controller.js';
import { OauthController } from './http/oauth.controller.js';
import { PublishableKeysController } from './http/publishable-keys.controller.js';
import { RegistrationController } from './http/registration.controller.js';
import { RevocationsController } from './http/revocations.controller.js';
import { UsersController } from './http/users.controller.js';
import { SigningKeys } from './keys/signing-keys.js';
import { TokenIssuer } from './keys/token-issuer.js';

@Module({
  imports: [
    ServiceModule.forRoot({ name: 'auth', configSchema: authConfigSchema, database: true, keepsRevocations: true }),
    MessagingModule.forRoot({
      service: 'auth',
      ownerUrls: {},
      serviceToken: async () => await Promise.reject(new Error('invariant: auth subscribes to nothing')),
    }),
  ],
  controllers: [
    OauthController,
    LoginController,
    RegistrationController,
    SessionsController,
    PasswordController,
    SecondFactorController,
    MeController,
    MyMembershipsController,
    MailboxController,
    InternalUsersController,
    KeysController,
    MetadataController,
    MerchantsController,
    MerchantMembersController,
    MerchantClientsController,
    MerchantKeysController,
    PublishableKeysController,
    UsersController,
    AuditLogController,
    RevocationsController,
  ],
  providers: [
    SigningKeys,
    TokenIssuer,
    Passwords,
    AccountKeys,
    Sessions,
    LogIn,
    Codes,
    Register,
    ProveAddress,
    SecondFactor,
    ChangePassword,
    UpdateAccount,
    AccountRequests,
    RevocationJournal,
    StaffUsers,
    Members,
    ApiKeys,
    ApiKeyUpkeep,
    Deeds,
  ],
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
