import { z } from 'zod';

import { type Role, ROLES } from '../access.js';
import { idSchema, pageOf, pageQueryFields, textSchema, timeSchema } from './shared-fields.js';

export const userIdSchema = idSchema('usr');
export const USER_STATUSES = ['ACTIVE', 'BLOCKED'] as const;

/** The roles that a person can have: the others are a machine's or a page's. */
export const PERSON_ROLES = ['customer', 'finance', 'risk', 'admin'] as const satisfies readonly Role[];

/** GET /users. At most one of email, phone and username. */
export const listUsersQuerySchema = z
  .strictObject({
    ...pageQueryFields,
    status: z.enum(USER_STATUSES).optional(),
    username: textSchema(100).optional(),
    email: textSchema(254).optional(),
    phone: textSchema(32).optional(),
  })
  .refine(
    ({ username, email, phone }) => [username, email, phone].filter((name) => name !== undefined).length <= 1,
    'filter by one of username, email and phone',
  );
export type ListUsersQuery = z.infer<typeof listUsersQuerySchema>;

/** A person, as staff sees him. */
export const userSchema = z
  .object({
    userId: z.string(),
    username: z.string().nullable(),
    email: z.string().nullable(),
    phone: z.string().nullable(),
    name: z.string().nullable(),
    status: z.enum(USER_STATUSES),
    roles: z.array(z.enum(Object.keys(ROLES) as [Role, ...Role[]])),
    verified: z.boolean(),
    createdAt: timeSchema,
  })
  .meta({ id: 'User' });
export type UserView = z.infer<typeof userSchema>;

export const userPageSchema = pageOf(userSchema).meta({ id: 'UserPage' });

/** POST /users/{userId}/block. */
export const blockUserSchema = z.strictObject({ reason: textSchema(500) }).meta({ id: 'BlockUser' });

/** PUT /users/{userId}/roles. */
export const setRolesSchema = z
  .strictObject({
    roles: z
      .array(z.enum(PERSON_ROLES))
      .min(1)
      .max(PERSON_ROLES.length)
      .refine((roles) => new Set(roles).size === roles.length, 'name each role once'),
  })
  .meta({ id: 'SetRoles' });

/** POST /users/{userId}/sessions/revoke. */
export const endedSessionsSchema = z
  .object({ userId: z.string(), ended: z.int().meta({ description: 'How many sessions were open.' }) })
  .meta({ id: 'EndedSessions' });
