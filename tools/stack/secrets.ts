import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';

import { typeid } from 'typeid-js';

import { Failure } from '../servers/failure.ts';
import { readJson, writePrivateJson } from '../servers/files.ts';
import type { StackPaths } from './paths.ts';
import { ACQUIRERS, SERVICES, type ServiceName } from './services.ts';

/** Who exists in a demo installation. Handed to the services that create them, and printed for the person at the keyboard. */
export interface DemoData {
  readonly merchant: {
    readonly merchantId: string;
    readonly clientId: string;
    readonly clientSecret: string;
    /** For the merchant's page; not a secret. */
    readonly publishableKey: string;
  };
  readonly ledgerClient: { readonly clientId: string; readonly clientSecret: string };
  readonly customer: { readonly userId: string; readonly email: string; readonly password: string };
  readonly admin: { readonly userId: string; readonly email: string; readonly password: string };
}

export interface Secrets {
  /** Passwords of each service's two database roles. */
  readonly databases: Readonly<Record<string, { readonly owner: string; readonly runtime: string }>>;
  /** Client secret of each service, by service name. */
  readonly serviceClients: Readonly<Record<string, string>>;
  /** 32 bytes each, base64. */
  readonly signingKeyEncryptionKey: string;
  readonly codeSealingKey: string;
  readonly vaultKek: string;
  readonly vaultFingerprintKey: string;
  /** Bank accounts of withdrawals under way. */
  readonly bankAccountKey: string;
  /** Signs the ledger's checkpoints. */
  readonly checkpointKey: string;
  /** What merchants' webhooks are signed with. */
  readonly webhookSecretKey: string;
  /** With which each acquirer signs its webhooks, by its name: `whsec_` and base64, as Standard Webhooks writes them. */
  readonly acquirerWebhooks: Readonly<Record<string, string>>;
  readonly demo: DemoData;
}

/**
 * This installation's secrets, made at its first start. A service that a later version adds gets its own when it is first
 * seen; nothing that exists ever changes, because the data is encrypted under it.
 */
export const loadSecrets = (paths: StackPaths): Secrets => {
  const former = readJson<Secrets>(paths.secrets);
  if (former === undefined && existsSync(paths.postgres)) {
    throw new Failure(
      `${paths.secrets} is missing or damaged, but there is data in ${paths.postgres} that is encrypted under its keys. ` +
        `Put the file back, or delete ${paths.home} to start with an empty installation.`,
    );
  }
  const secrets = completed(
    former,
    SERVICES.map((service) => service.name),
  );
  if (JSON.stringify(secrets) !== JSON.stringify(former)) writePrivateJson(paths.secrets, secrets);
  return secrets;
};

export const completed = (former: Secrets | undefined, services: readonly ServiceName[]): Secrets => ({
  databases: {
    ...Object.fromEntries(services.map((name) => [name, { owner: secret(), runtime: secret() }])),
    ...former?.databases,
  },
  serviceClients: { ...Object.fromEntries(services.map((name) => [name, secret()])), ...former?.serviceClients },
  signingKeyEncryptionKey: former?.signingKeyEncryptionKey ?? key(),
  codeSealingKey: (former as Partial<Secrets> | undefined)?.codeSealingKey ?? key(),
  vaultKek: former?.vaultKek ?? key(),
  vaultFingerprintKey: former?.vaultFingerprintKey ?? key(),
  bankAccountKey: (former as Partial<Secrets> | undefined)?.bankAccountKey ?? key(),
  checkpointKey: (former as Partial<Secrets> | undefined)?.checkpointKey ?? key(),
  webhookSecretKey: (former as Partial<Secrets> | undefined)?.webhookSecretKey ?? key(),
  acquirerWebhooks: {
    ...Object.fromEntries(ACQUIRERS.map((name) => [name, webhookSecret()])),
    ...former?.acquirerWebhooks,
  },
  demo: former === undefined ? demoData() : withPublishableKey(former.demo),
});

const demoData = (): DemoData => ({
  merchant: {
    merchantId: typeid('mer').toString(),
    clientId: typeid('cli').toString(),
    clientSecret: secret(),
    publishableKey: publishableKey(),
  },
  ledgerClient: { clientId: typeid('cli').toString(), clientSecret: secret() },
  customer: { userId: typeid('usr').toString(), email: 'customer@payflow.example', password: password() },
  admin: { userId: typeid('usr').toString(), email: 'admin@payflow.example', password: password() },
});

const publishableKey = (): string => `pk_test_${secret()}`;
/** An installation of before there were publishable keys gets one. */
const withPublishableKey = ({ merchant, ...others }: DemoData): DemoData => ({
  ...others,
  merchant: { ...merchant, publishableKey: (merchant as Partial<typeof merchant>).publishableKey ?? publishableKey() },
});

/** 192 bits, safe in a URL, in a shell and in JSON. */
const secret = (): string => randomBytes(24).toString('base64url');
/** For a person to copy: 96 bits. A fixed demo password would sooner or later be one on the open internet. */
const password = (): string => `pf-${randomBytes(12).toString('hex')}`;
const key = (): string => randomBytes(32).toString('base64');
const webhookSecret = (): string => `whsec_${key()}`;
