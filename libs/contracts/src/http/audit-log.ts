import { z } from 'zod';

import { pageOf, pageQueryFields, timeSchema } from './shared-fields.js';

/** Everything that is written into the audit log. */
export const AUDIT_ACTIONS = [
  'api_key.created',
  'api_key.revoked',
  'api_key.rolled',
  'client.configured',
  'client.created',
  'client.disabled',
  'client.secret_rotated',
  'member.invited',
  'member.removed',
  'member.saved',
  'membership.accepted',
  'membership.declined',
  'membership.left',
  'merchant.blocked',
  'merchant.changed',
  'merchant.created',
  'merchant.unblocked',
  'publishable_key.created',
  'publishable_key.disabled',
  'signing_key.rotated',
  'user.blocked',
  'user.created',
  'user.roles_changed',
  'user.sessions_ended',
  'user.unblocked',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** GET /audit-log. */
export const listAuditLogQuerySchema = z.strictObject({
  ...pageQueryFields,
  actor: z.string().min(1).max(100).optional(),
  target: z.string().min(1).max(100).optional(),
  action: z.enum(AUDIT_ACTIONS).optional(),
  from: timeSchema.optional(),
  to: timeSchema.optional(),
});
export type ListAuditLogQuery = z.infer<typeof listAuditLogQuerySchema>;

/** Who did what to what, and when. Written in the transaction of the deed; never changed, never deleted. */
export const auditEntrySchema = z
  .object({
    id: z.string(),
    occurredAt: timeSchema,
    actor: z.string().meta({ description: 'The principal, or `system` at the start of the service.' }),
    action: z.string(),
    target: z.string(),
    requestId: z.string().nullable(),
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntryView = z.infer<typeof auditEntrySchema>;

export const auditLogPageSchema = pageOf(auditEntrySchema).meta({ id: 'AuditLogPage' });
