/** What a token may do. Routes name the scopes they need; roles are bundles of scopes. */
export const SCOPES = {
  'payments:read': 'Read payments, refunds and their events.',
  'payments:write': 'Create, authorize, capture, cancel and refund payments.',
  'payments:confirm': 'Confirm a payment whose client secret one has, and see how it stands.',
  'tokens:read': 'Read card tokens, never card numbers.',
  'tokens:create': 'Put a card into the vault and get a single-use token for it.',
  'tokens:write': 'Make tokens that can be used again; change and delete card tokens.',
  'wallets:read': 'Read wallets, their balances and transactions.',
  'wallets:write': 'Create wallets; add, transfer, pay, hold and withdraw their money.',
  'wallets:control': 'Freeze wallets and set their limits.',
  'ledger:read': 'Read ledger accounts, balances, entries and transactions.',
  'ledger:post': "Post ledger transactions and open accounts. A person's posting waits for another person's approval.",
  'ledger:approve': "Approve or refuse another person's posting or reversal in the ledger.",
  'settlements:read': 'Read settlements, payouts, reserve rules, reconciliation runs and exceptions.',
  'settlements:write': 'Run settlements, set payout accounts and reserves, import reports, resolve exceptions.',
  'fraud:read': 'Read fraud rules, lists, decisions and the review queue.',
  'fraud:write': 'Change fraud rules and lists; approve or reject payments under review.',
  'webhooks:read': 'Read webhook endpoints, their deliveries and the feed of events.',
  'webhooks:write': 'Create, change and test webhook endpoints; deliver again.',
  'account:write': "Change one's own account: password, second factor, sessions.",
  'merchants:read': "Read one's own merchant, its members, clients and API keys.",
  'merchants:write': "Manage the members, clients and API keys of one's own merchant.",
  'users:read': 'Read users and merchants.',
  'users:write': 'Block users, manage merchants and clients.',
  'audit:read': 'Read who changed what (the audit log).',
  'keys:rotate': 'Rotate signing and encryption keys.',
  'operations:read': 'Inspect dead letters, payment exceptions, routing rules and other operational state.',
  'operations:write': 'Replay or discard dead letters; resolve payment exceptions; set routing rules.',
  internal: 'Call the routes that services keep for each other.',
} as const satisfies Readonly<Record<string, string>>;

export type Scope = keyof typeof SCOPES;

const allScopes = Object.keys(SCOPES) as Scope[];

/** Roles as data. A token's scopes are at most those of its roles; a merchant's or customer's are further limited to his own objects. */
export const ROLES = {
  customer: [
    'account:write',
    'payments:read',
    'payments:confirm',
    'tokens:read',
    'tokens:create',
    'tokens:write',
    'wallets:read',
    'wallets:write',
    'ledger:read',
  ],
  merchant: [
    'payments:read',
    'payments:write',
    'payments:confirm',
    'tokens:read',
    'tokens:create',
    'tokens:write',
    'ledger:read',
    'merchants:read',
    'merchants:write',
    'settlements:read',
    'webhooks:read',
    'webhooks:write',
  ],
  /** The browser of a payer, by the publishable key of the merchant's page: everybody has that key. */
  payer: ['payments:confirm', 'tokens:create'],
  finance: [
    'account:write',
    'payments:read',
    'wallets:read',
    'ledger:read',
    'ledger:post',
    'ledger:approve',
    'settlements:read',
    'settlements:write',
    'operations:read',
    'audit:read',
  ],
  risk: [
    'account:write',
    'payments:read',
    'wallets:read',
    'wallets:control',
    'users:read',
    'merchants:read',
    'fraud:read',
    'fraud:write',
    'operations:read',
  ],
  admin: allScopes.filter((scope) => scope !== 'internal'),
  service: allScopes,
} as const satisfies Readonly<Record<string, readonly Scope[]>>;

export type Role = keyof typeof ROLES;

/** Roles that see the objects of every merchant and user. The others see their own. */
export const STAFF_ROLES: readonly Role[] = ['finance', 'risk', 'admin', 'service'];

export const isScope = (text: string): text is Scope => Object.hasOwn(SCOPES, text);
export const isRole = (text: string): text is Role => Object.hasOwn(ROLES, text);

/** The audience of every access token (RFC 9068 `aud`). */
export const TOKEN_AUDIENCE = 'payflow';

/** Who asks: what a verified access token says (RFC 9068). */
export interface Principal {
  /** `sub`: `usr_…` for a person, `cli_…` for a merchant's or a service's client. */
  readonly id: string;
  readonly kind: 'user' | 'client' | 'service';
  readonly roles: readonly Role[];
  readonly scopes: readonly Scope[];
  /** The merchant a client acts for, or of whom a person is a member. */
  readonly merchantId?: string;
  /** `ses_…`: the login that a person's token comes from. It ends with it. */
  readonly sessionId?: string;
}

export const isStaff = (principal: Principal): boolean => principal.roles.some((role) => STAFF_ROLES.includes(role));
