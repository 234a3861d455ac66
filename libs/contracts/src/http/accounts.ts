import { z } from 'zod';

import { ROLES, type Role } from '../access.js';
import { idSchema, textSchema, timeSchema } from './shared-fields.js';

/** NIST SP 800-63B §3.1.1.2: at least 8, and long ones welcome. Argon2id reads its input once, so 1,000 cost no more than 10. */
export const PASSWORD_LENGTH_MIN = 8;
export const PASSWORD_LENGTH_MAX = 1000;

const lengthInCharacters = (text: string): number => Array.from(text).length;

/** A password that is being chosen. No rules of composition; the commonest ones are refused by auth. */
export const newPasswordSchema = z
  .string()
  .max(PASSWORD_LENGTH_MAX * 2, `must have at most ${PASSWORD_LENGTH_MAX} characters`)
  .refine((text) => lengthInCharacters(text) >= PASSWORD_LENGTH_MIN, {
    message: `must have at least ${PASSWORD_LENGTH_MIN} characters`,
    params: { code: 'too_small' },
  })
  .refine((text) => lengthInCharacters(text) <= PASSWORD_LENGTH_MAX, {
    message: `must have at most ${PASSWORD_LENGTH_MAX} characters`,
    params: { code: 'too_big' },
  })
  .meta({
    description: `${PASSWORD_LENGTH_MIN} to ${PASSWORD_LENGTH_MAX} characters of any kind. The commonest passwords are refused.`,
    examples: ['secret123'],
  });

/** A password that is being shown: whatever was chosen once. */
const passwordSchema = z.string().min(1).max(PASSWORD_LENGTH_MAX);

/** Without the check for card numbers: every tenth phone number passes Luhn. What is stored is a number in E.164. */
const phoneSchema = z
  .string()
  .min(1)
  .max(32)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not contain control characters')
  .meta({ description: 'With the country: +44 7911 123456.', examples: ['+447911123456'] });
const emailSchema = textSchema(254).meta({ examples: ['alice@example.com'] });

const loginNameFields = {
  username: textSchema(100).optional(),
  email: emailSchema.optional(),
  phone: phoneSchema.optional(),
};
const addressFields = { email: emailSchema.optional(), phone: phoneSchema.optional() };

type LoginNames = { readonly username?: unknown; readonly email?: unknown; readonly phone?: unknown };
const namesOne = ({ username, email, phone }: LoginNames): boolean =>
  [username, email, phone].filter((value) => value !== undefined).length === 1;
const ONE_LOGIN_NAME = 'name exactly one of username, email and phone';
const ONE_ADDRESS = 'name exactly one of email and phone';

const codeSchema = z
  .string()
  .regex(/^\d{6}$/, 'must be six digits')
  .meta({ examples: ['123456'] });
const totpSchema = codeSchema.meta({ description: 'What the authenticator shows now.' });
const recoveryCodeSchema = z
  .string()
  .min(1)
  .max(40)
  .regex(/^[\x20-\x7e]+$/)
  .meta({ description: 'One of the ten that were shown with the second factor. It works once.' });

/** POST /auth/register. */
export const registerSchema = z
  .strictObject({ ...loginNameFields, password: newPasswordSchema, name: textSchema(200).optional() })
  .refine(namesOne, ONE_LOGIN_NAME)
  .meta({ id: 'Register' });
export type RegisterRequest = z.infer<typeof registerSchema>;

export const registeredSchema = z
  .object({
    userId: z.string(),
    username: z.string().optional(),
    email: z.string().optional(),
    phone: z.string().optional(),
    message: z.string(),
    verification: z
      .object({ required: z.boolean(), channel: z.enum(['email', 'sms']).nullable() })
      .meta({ description: 'Whether a code is to be sent to POST /auth/verify before money can be moved.' }),
  })
  .meta({ id: 'Registered' });
export type Registered = z.infer<typeof registeredSchema>;

/** POST /auth/login: one of username, email or phone, and the password; with a second factor, one of its codes too. */
export const loginSchema = z
  .strictObject({
    ...loginNameFields,
    password: passwordSchema,
    totp: totpSchema.optional(),
    recoveryCode: recoveryCodeSchema.optional(),
    merchantId: idSchema('mer').optional().meta({
      description: 'For which merchant to act, for a member of several. With one membership it need not be named.',
    }),
  })
  .refine(namesOne, ONE_LOGIN_NAME)
  .refine(
    (login) => login.totp === undefined || login.recoveryCode === undefined,
    'send totp or recoveryCode, not both',
  )
  .meta({ id: 'Login' });
export type LoginRequest = z.infer<typeof loginSchema>;

const sessionTokenFields = {
  token: z.string(),
  accessToken: z.string().meta({ description: 'The same as `token`.' }),
  refreshToken: z.string().meta({ description: 'For POST /auth/refresh, once. Keep it as secret as a password.' }),
  tokenType: z.literal('Bearer'),
  expiresIn: z.int().meta({ description: 'Seconds that the access token lives.' }),
  refreshExpiresIn: z.int().meta({ description: 'Seconds that the refresh token lives.' }),
  userId: z.string(),
  sessionId: z.string(),
};

export const loginAnswerSchema = z
  .object({
    ...sessionTokenFields,
    verified: z.boolean().meta({ description: 'Nothing of the account waits for verification.' }),
  })
  .meta({ id: 'LoginAnswer' });
export type LoginAnswer = z.infer<typeof loginAnswerSchema>;

/** POST /auth/refresh. */
export const refreshSchema = z.strictObject({ refreshToken: z.string().min(1).max(200) }).meta({ id: 'Refresh' });

/** POST /auth/logout. */
export const logoutSchema = z
  .strictObject({
    all: z.boolean().optional().meta({ description: 'End every session of the person, not only this one.' }),
  })
  .meta({ id: 'Logout' });

export const sessionSchema = z
  .object({
    sessionId: z.string(),
    current: z.boolean().meta({ description: 'The session that asks.' }),
    createdAt: timeSchema,
    lastUsedAt: timeSchema,
    expiresAt: timeSchema,
    address: z.string(),
    userAgent: z.string().nullable(),
  })
  .meta({ id: 'Session' });
export const sessionsSchema = z.object({ data: z.array(sessionSchema) }).meta({ id: 'Sessions' });
export const sessionIdSchema = idSchema('ses');

/** POST /auth/verify. */
export const verifySchema = z
  .strictObject({
    ...addressFields,
    code: codeSchema,
    userId: idSchema('usr')
      .optional()
      .meta({ description: 'The account that registration answered: only its own code counts. Send it.' }),
  })
  .refine(namesOne, ONE_ADDRESS)
  .meta({ id: 'Verify' });
export const verifiedSchema = z
  .object({ userId: z.string(), channel: z.enum(['email', 'phone']), address: z.string(), verified: z.boolean() })
  .meta({ id: 'Verified' });

/** POST /auth/verify/resend and POST /auth/password/forgot. */
export const codeRequestSchema = z
  .strictObject(addressFields)
  .refine(namesOne, ONE_ADDRESS)
  .meta({ id: 'CodeRequest' });
export const codeRequestedSchema = z.object({ message: z.string() }).meta({ id: 'CodeRequested' });

/** POST /auth/password/reset. */
export const resetPasswordSchema = z
  .strictObject({ ...addressFields, code: codeSchema, password: newPasswordSchema })
  .refine(namesOne, ONE_ADDRESS)
  .meta({ id: 'ResetPassword' });

/** POST /auth/password. */
export const changePasswordSchema = z
  .strictObject({ currentPassword: passwordSchema, newPassword: newPasswordSchema })
  .meta({ id: 'ChangePassword' });

/** POST /auth/2fa/enroll: a secret that counts once it is confirmed. */
export const enrolledSchema = z
  .object({
    secret: z.string().meta({ description: 'Base 32, to type into an authenticator that cannot scan.' }),
    otpauthUri: z.string(),
    qrCode: z.string().meta({ description: 'The URI as an SVG image, as a data URI.' }),
  })
  .meta({ id: 'SecondFactorEnrolled' });
/** POST /auth/2fa/confirm. */
export const confirmSecondFactorSchema = z.strictObject({ totp: totpSchema }).meta({ id: 'ConfirmSecondFactor' });
export const recoveryCodesSchema = z
  .object({ recoveryCodes: z.array(z.string()).meta({ description: 'Ten, shown once; each replaces a code once.' }) })
  .meta({ id: 'RecoveryCodes' });
/** POST /auth/2fa/disable. */
export const disableSecondFactorSchema = z
  .strictObject({ password: passwordSchema, totp: totpSchema.optional(), recoveryCode: recoveryCodeSchema.optional() })
  .refine(
    ({ totp, recoveryCode }) => (totp === undefined) !== (recoveryCode === undefined),
    'send exactly one of totp and recoveryCode',
  )
  .meta({ id: 'DisableSecondFactor' });

export const meSchema = z
  .object({
    id: z.string(),
    kind: z.enum(['user', 'client', 'service']),
    userId: z.string().optional(),
    username: z.string().nullable().optional(),
    email: z.string().nullable().optional(),
    phone: z.string().nullable().optional(),
    name: z.string().nullable().optional(),
    status: z.enum(['ACTIVE', 'BLOCKED']).optional(),
    emailVerified: z.boolean().optional(),
    phoneVerified: z.boolean().optional(),
    pendingEmail: z
      .string()
      .nullable()
      .optional()
      .meta({ description: 'Takes the place of `email` when its code has come back.' }),
    pendingPhone: z.string().nullable().optional(),
    twoFactor: z.boolean().optional(),
    merchantId: z.string().optional(),
    roles: z.array(z.enum(Object.keys(ROLES) as [Role, ...Role[]])),
    scopes: z.array(z.string()),
  })
  .meta({ id: 'Me' });

/** PATCH /me. A new address is proven by a code before it counts. */
export const updateMeSchema = z
  .strictObject({ name: textSchema(200).nullable().optional(), ...addressFields })
  .refine((changes) => Object.values(changes).some((value) => value !== undefined), 'name at least one field')
  .meta({ id: 'UpdateMe' });

/** GET /dev/mailbox?to=: what would have gone out, in demo mode. */
export const mailboxQuerySchema = z.strictObject({ to: z.string().min(1).max(254).optional() });
export const mailboxSchema = z
  .object({
    data: z.array(
      z.object({
        to: z.string(),
        channel: z.enum(['email', 'sms']),
        purpose: z.string(),
        subject: z.string().nullable(),
        text: z.string(),
        code: z.string().nullable(),
        sentAt: timeSchema,
      }),
    ),
  })
  .meta({ id: 'Mailbox' });

/** GET /internal/users?email=|phone=|username=. */
export const internalUsersQuerySchema = z.strictObject(loginNameFields).refine(namesOne, ONE_LOGIN_NAME);
