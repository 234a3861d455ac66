import { DiscoveryService, MetadataScanner, type ModulesContainer, NestFactory, Reflector } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';

import { AcquirerSimModule } from '../../apps/acquirer-sim/src/acquirer-sim.module.js';
import { AuthModule } from '../../apps/auth/src/auth.module.js';
import { withInlineCard } from '../../apps/gateway/src/openapi/inline-card.js';
import { mergeOpenApi, type OpenApiDocument } from '../../apps/gateway/src/openapi/merge.js';
import { type Upstream, UPSTREAMS } from '../../apps/gateway/src/routing/route-table.js';
import { FraudModule } from '../../apps/fraud/src/fraud.module.js';
import { LedgerModule } from '../../apps/ledger/src/ledger.module.js';
import { NotificationModule } from '../../apps/notification/src/notification.module.js';
import { PaymentModule } from '../../apps/payment/src/payment.module.js';
import { SettlementModule } from '../../apps/settlement/src/settlement.module.js';
import { TokenizationModule } from '../../apps/tokenization/src/tokenization.module.js';
import { WalletModule } from '../../apps/wallet/src/wallet.module.js';
import { Closing } from '../../libs/service/src/closing.js';
import { OpenApi } from '../../libs/service/src/openapi.js';
import { type NestModuleClass, rootModule } from '../../libs/service/src/start.js';

const MODULES: Readonly<Record<Upstream, NestModuleClass>> = {
  auth: AuthModule,
  payment: PaymentModule,
  tokenization: TokenizationModule,
  ledger: LedgerModule,
  wallet: WalletModule,
  fraud: FraudModule,
  notification: NotificationModule,
  settlement: SettlementModule,
  'acquirer-sim': AcquirerSimModule,
};

/** The gateway's OpenAPI document, from the sources alone: Nest reads the modules and starts nothing (preview mode). */
export const apiDocument = async (gatewayUrl: string): Promise<Readonly<Record<string, unknown>>> => {
  const services = [];
  for (const service of UPSTREAMS) services.push({ service, document: await documentOf(service) });
  return withInlineCard(mergeOpenApi(services, gatewayUrl));
};

const OPTIONS = { preview: true, logger: false, abortOnError: false } as const;

const documentOf = async (service: Upstream): Promise<OpenApiDocument> => {
  // No settings: none is read.
  const module = rootModule(MODULES[service], {}, new Closing());
  // Nest declares its options as a class and documents plain objects.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
  const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), OPTIONS);
  const { container } = app as unknown as { readonly container: { getModules(): ModulesContainer } };
  const discovery = new DiscoveryService(container.getModules());
  const openApi = new OpenApi(service, discovery, new MetadataScanner(), new Reflector());
  openApi.describe(app);
  return openApi.document;
};
