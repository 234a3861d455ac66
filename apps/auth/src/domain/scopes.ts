import {
  isScope,
  isStaff,
  type MembershipRole,
  type Principal,
  ROLES,
  type Role,
  type Scope,
} from '@payflow/contracts';

/** Every scope that these roles bundle, each once. */
export const scopesOfRoles = (roles: readonly Role[]): readonly Scope[] => [
  ...new Set(roles.flatMap((role): readonly Scope[] => ROLES[role])),
];

export type ScopeDecision =
  | { readonly ok: true; readonly scopes: readonly Scope[] }
  | { readonly ok: false; readonly refused: readonly string[] };

/**
 * The scopes of a new token: what was asked for, or everything that was granted when nothing was asked (RFC 6749 §3.3).
 * Asking for more than was granted is refused and not silently cut, so that a client learns it at once and not at its
 * first 403.
 */
export const narrowScopes = (granted: readonly Scope[], requested: string | undefined): ScopeDecision => {
  const asked = [...new Set((requested ?? '').split(' ').filter((scope) => scope !== ''))];
  if (asked.length === 0) return { ok: true, scopes: granted };
  const scopes = asked.filter((scope): scope is Scope => isScope(scope) && granted.includes(scope));
  if (scopes.length === asked.length) return { ok: true, scopes };
  return { ok: false, refused: asked.filter((scope) => !(scopes as readonly string[]).includes(scope)) };
};

/** What a member of a merchant may do for it: an owner everything, others everything but manage who else may. */
export const scopesOfMembership = (role: MembershipRole): readonly Scope[] =>
  role === 'OWNER' ? ROLES.merchant : ROLES.merchant.filter((scope) => scope !== 'merchants:write');

/** What a caller may hand on of a merchant's rights: staff all of them, a merchant's own people and keys what they have. */
export const grantableBy = (principal: Principal): readonly Scope[] =>
  isStaff(principal) ? ROLES.merchant : ROLES.merchant.filter((scope) => principal.scopes.includes(scope));

/** Those that he may not hand on. */
export const beyond = (principal: Principal, scopes: readonly Scope[]): readonly Scope[] => {
  const grantable = grantableBy(principal);
  return scopes.filter((scope) => !grantable.includes(scope));
};
