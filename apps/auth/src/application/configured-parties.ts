import { type Role, type Scope, USER_EVENTS, WALLET_MERCHANT_ID } from '@payflow/contracts';
import type { Outbox } from '@payflow/messaging';
import type { Database, Tx } from '@payflow/postgres';

import type { DemoData } from '../auth.config.js';
import { hashClientSecret } from '../credentials/client-secret.js';
import type { Passwords } from '../credentials/passwords.js';
import { scopesOfRoles } from '../domain/scopes.js';
import { appendAudit } from '../store/audit-log.js';
import { insertMerchant } from '../store/merchants.js';
import { upsertClient } from '../store/oauth-clients.js';
import { insertPublishableKey } from '../store/publishable-keys.js';
import { findUser, insertUser, NEW_USER } from '../store/users.js';

/** Any number that no other lock of the database uses. */
const CONFIGURE_LOCK = 7_201_521;
const SYSTEM = { actor: 'system', requestId: null } as const;

/** Two instances that start at once take turns; the second finds everything as it should be. */
const alone = async (tx: Tx): Promise<void> => {
  await tx.execute('SELECT pg_advisory_xact_lock($1)', [CONFIGURE_LOCK]);
};

interface ConfiguredClient {
  readonly id: string;
  readonly secret: string;
  readonly kind: 'client' | 'service';
  readonly merchantId: string | null;
  readonly roles: readonly Role[];
  readonly scopes: readonly Scope[];
}

const configureClient = async (tx: Tx, client: ConfiguredClient): Promise<void> => {
  const changed = await upsertClient(tx, { ...client, secretHash: hashClientSecret(client.secret) });
  if (changed) await appendAudit(tx, { ...SYSTEM, action: 'client.configured', target: client.id });
};

/** The clients of our own services, as SERVICE_CLIENTS names them, and the merchant to whom money for wallets is paid. */
export const configureServiceClients = async (
  database: Database,
  secrets: Readonly<Record<string, string>>,
): Promise<void> => {
  const roles: readonly Role[] = ['service'];
  await database.transaction(async (tx) => {
    await alone(tx);
    for (const [id, secret] of Object.entries(secrets))
      await configureClient(tx, { id, secret, kind: 'service', merchantId: null, roles, scopes: scopesOfRoles(roles) });
    if (await insertMerchant(tx, { id: WALLET_MERCHANT_ID, name: 'PayFlow wallets', createdAt: new Date() }))
      await appendAudit(tx, { ...SYSTEM, action: 'merchant.created', target: WALLET_MERCHANT_ID });
  });
};

/** What a ledger client may do: post and read, for no merchant in particular. */
const LEDGER_CLIENT_SCOPES: readonly Scope[] = ['ledger:post', 'ledger:read'];

/** The demo parties. Finds what an earlier start made. */
export const configureDemoParties = async (
  database: Database,
  passwords: Passwords,
  outbox: Outbox,
  demo: DemoData,
): Promise<void> => {
  await database.transaction(async (tx) => {
    await alone(tx);
    const { merchantId, clientId, clientSecret, publishableKey } = demo.merchant;
    if (await insertMerchant(tx, { id: merchantId, name: 'Demo merchant', createdAt: new Date() }))
      await appendAudit(tx, { ...SYSTEM, action: 'merchant.created', target: merchantId });
    await insertPublishableKey(tx, publishableKey, merchantId);
    const roles: readonly Role[] = ['merchant'];
    await configureClient(tx, {
      id: clientId,
      secret: clientSecret,
      kind: 'client',
      merchantId,
      roles,
      scopes: scopesOfRoles(roles),
    });
    await configureClient(tx, {
      id: demo.ledgerClient.clientId,
      secret: demo.ledgerClient.clientSecret,
      kind: 'client',
      merchantId: null,
      roles: [],
      scopes: LEDGER_CLIENT_SCOPES,
    });
    await createUser(tx, passwords, outbox, { ...demo.customer, name: 'Demo customer', role: 'customer' });
    await createUser(tx, passwords, outbox, { ...demo.admin, name: 'Demo admin', role: 'admin' });
  });
};

const createUser = async (
  tx: Tx,
  passwords: Passwords,
  outbox: Outbox,
  user: { readonly userId: string; readonly email: string; readonly password: string; name: string; role: Role },
): Promise<void> => {
  if (await findUser(tx, user.userId)) return;
  const now = new Date();
  const email = user.email.toLowerCase();
  await insertUser(tx, {
    ...NEW_USER,
    id: user.userId,
    email,
    emailVerifiedAt: now,
    passwordHash: await passwords.hash(user.password),
    name: user.name,
    roles: [user.role],
  });
  await appendAudit(tx, { ...SYSTEM, action: 'user.created', target: user.userId });
  const about = { aggregateId: user.userId, merchantId: null, key: user.userId, occurredAt: now };
  const { userId } = user;
  await outbox.publish(tx, [
    {
      ...about,
      definition: USER_EVENTS.registered,
      payload: { userId, roles: [user.role], username: null, email, phone: null },
    },
    {
      ...about,
      definition: USER_EVENTS.verified,
      payload: { userId, channel: 'email', address: email, complete: true },
    },
  ]);
};
