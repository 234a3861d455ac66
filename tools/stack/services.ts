import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { REPOSITORY } from './paths.ts';
import type { Secrets } from './secrets.ts';

export type ServiceName =
  | 'gateway'
  | 'auth'
  | 'payment'
  | 'tokenization'
  | 'ledger'
  | 'wallet'
  | 'fraud'
  | 'notification'
  | 'settlement'
  | 'acquirer-sim';

/** What a service is told about the installation it runs in. */
export interface Surroundings {
  readonly urls: Readonly<Record<ServiceName, string>>;
  readonly kafkaBrokers: string;
  readonly secrets: Secrets;
}

export interface Service {
  readonly name: ServiceName;
  readonly defaultPort: number;
  /** The variable that moves it to another port. */
  readonly portVariable: string;
  readonly hasDatabase: boolean;
  /** Settings beyond those that every service gets. */
  readonly settings: (surroundings: Surroundings) => Readonly<Record<string, string>>;
}

/** Both are simulated by `acquirer-sim`. The first is the one that authorizations go to where no rule says otherwise. */
export const ACQUIRERS = ['sim', 'sim2'] as const;

const acquirers = ({ urls }: Surroundings): string =>
  JSON.stringify(Object.fromEntries(ACQUIRERS.map((name) => [name, `${urls['acquirer-sim']}/acquirers/${name}`])));

/** The customer and the merchant that the requirement documents print: those of the demo data. */
const printedParties = ({ demo }: Secrets): string =>
  JSON.stringify({ users: { '12345': demo.customer.userId }, merchants: { '67890': demo.merchant.merchantId } });

/**
 * The services of an installation: the one table from which `npm start` starts them. In the order in which they are shown;
 * they start together and wait for each other.
 */
export const SERVICES: readonly Service[] = [
  {
    name: 'gateway',
    defaultPort: 8080,
    portVariable: 'PORT',
    hasDatabase: false,
    // A demo's people, its tests and its simulator are all behind one address.
    settings: () => ({ CREDENTIAL_RATE_LIMIT_PER_SECOND: '100', CREDENTIAL_RATE_LIMIT_BURST: '500' }),
  },
  {
    name: 'auth',
    defaultPort: 8081,
    portVariable: 'AUTH_PORT',
    hasDatabase: true,
    settings: ({ secrets }) => ({
      SIGNING_KEY_ENCRYPTION_KEY: secrets.signingKeyEncryptionKey,
      CODE_SEALING_KEY: secrets.codeSealingKey,
      SERVICE_CLIENTS: JSON.stringify(
        Object.fromEntries(Object.entries(secrets.serviceClients).map(([name, secret]) => [`svc_${name}`, secret])),
      ),
      DEMO_DATA: JSON.stringify(secrets.demo),
    }),
  },
  {
    name: 'payment',
    defaultPort: 8082,
    portVariable: 'PAYMENT_PORT',
    hasDatabase: true,
    settings: (surroundings) => ({
      ACQUIRERS: acquirers(surroundings),
      ACQUIRER_WEBHOOK_SECRETS: JSON.stringify(surroundings.secrets.acquirerWebhooks),
      EXTERNAL_REFERENCES: printedParties(surroundings.secrets),
      // One machine does everything here, also while it starts: that fraud is late is no reason to have people look.
      FRAUD_BUDGET_MS: '2000',
      FRAUD_DOWN_ALLOW_MAX: '1000000000',
    }),
  },
  {
    name: 'tokenization',
    defaultPort: 8083,
    portVariable: 'TOKENIZATION_PORT',
    hasDatabase: true,
    settings: (surroundings) => ({
      ACQUIRERS: acquirers(surroundings),
      VAULT_KEK: surroundings.secrets.vaultKek,
      VAULT_FINGERPRINT_KEY: surroundings.secrets.vaultFingerprintKey,
      DEMO_DATA: JSON.stringify(surroundings.secrets.demo),
    }),
  },
  {
    name: 'ledger',
    defaultPort: 8084,
    portVariable: 'LEDGER_PORT',
    hasDatabase: true,
    settings: ({ secrets }) => ({ CHECKPOINT_KEY: secrets.checkpointKey }),
  },
  {
    name: 'wallet',
    defaultPort: 8086,
    portVariable: 'WALLET_PORT',
    hasDatabase: true,
    settings: ({ urls, secrets }) => ({
      BANK_URL: `${urls['acquirer-sim']}/banks/sim`,
      BANK_ACCOUNT_KEY: secrets.bankAccountKey,
    }),
  },
  {
    name: 'fraud',
    defaultPort: 8087,
    portVariable: 'FRAUD_PORT',
    hasDatabase: true,
    settings: () => ({}),
  },
  {
    name: 'notification',
    defaultPort: 8088,
    portVariable: 'NOTIFICATION_PORT',
    hasDatabase: true,
    settings: ({ secrets }) => ({
      CODE_SEALING_KEY: secrets.codeSealingKey,
      WEBHOOK_SECRET_KEY: secrets.webhookSecretKey,
    }),
  },
  {
    name: 'settlement',
    defaultPort: 8089,
    portVariable: 'SETTLEMENT_PORT',
    hasDatabase: true,
    settings: (surroundings) => ({
      BANK_URL: `${surroundings.urls['acquirer-sim']}/banks/sim`,
      BANK_ACCOUNT_KEY: surroundings.secrets.bankAccountKey,
      ACQUIRERS: acquirers(surroundings),
      DEMO_DATA: JSON.stringify(surroundings.secrets.demo),
    }),
  },
  {
    name: 'acquirer-sim',
    defaultPort: 8085,
    portVariable: 'ACQUIRER_SIM_PORT',
    hasDatabase: true,
    settings: ({ urls, secrets }) => ({
      PUBLIC_URL: urls['acquirer-sim'],
      WEBHOOK_SECRETS: JSON.stringify(secrets.acquirerWebhooks),
    }),
  },
];

export interface DatabaseAddresses {
  readonly ownerUrl: string;
  readonly runtimeUrl: string;
}

/**
 * Everything a service finds in its environment, without what the person at the keyboard has set there himself: that is
 * inherited, for what is not decided here (LOG_LEVEL, fees).
 */
export const environmentOf = (
  service: Service,
  surroundings: Surroundings,
  database: DatabaseAddresses | undefined,
): Readonly<Record<string, string>> => {
  const { urls, kafkaBrokers, secrets } = surroundings;
  return {
    HOST: '127.0.0.1',
    PORT: new URL(urls[service.name]).port,
    NODE_ENV: 'development',
    DEMO_MODE: 'true',
    // A dead letter within seconds: whoever runs this on his machine wants to see one, not to wait for one.
    MESSAGE_TRIES_MAX: '4',
    ISSUER: urls.gateway,
    GATEWAY_URL: urls.gateway,
    AUTH_URL: urls.auth,
    PAYMENT_URL: urls.payment,
    TOKENIZATION_URL: urls.tokenization,
    LEDGER_URL: urls.ledger,
    WALLET_URL: urls.wallet,
    FRAUD_URL: urls.fraud,
    NOTIFICATION_URL: urls.notification,
    SETTLEMENT_URL: urls.settlement,
    ACQUIRER_SIM_URL: urls['acquirer-sim'],
    KAFKA_BROKERS: kafkaBrokers,
    SERVICE_CLIENT_SECRET: secrets.serviceClients[service.name] ?? '',
    ...(database === undefined ? {} : { DATABASE_URL: database.runtimeUrl, MIGRATION_DATABASE_URL: database.ownerUrl }),
    ...service.settings(surroundings),
  };
};

export const mainOf = (service: Service): string => join(REPOSITORY, 'apps', service.name, 'dist', 'main.js');

/** The services this checkout has. */
export const presentServices = (): readonly Service[] =>
  SERVICES.filter((service) => existsSync(join(REPOSITORY, 'apps', service.name, 'src', 'main.ts')));
