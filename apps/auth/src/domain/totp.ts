import { Secret, TOTP } from 'otpauth';

const ISSUER = 'PayFlow';
const DIGITS = 6;
const PERIOD_SECONDS = 30;
/** RFC 4226 §4: the length of SHA-1. Authenticators read nothing but SHA-1 everywhere. */
const SECRET_BYTES = 20;
/** RFC 6238 §5.2: one step for the way and for clocks that differ. */
const WINDOW_STEPS = 1;

const totpOf = (secret: string, label: string): TOTP =>
  new TOTP({
    issuer: ISSUER,
    label,
    algorithm: 'SHA1',
    digits: DIGITS,
    period: PERIOD_SECONDS,
    secret: Secret.fromBase32(secret),
  });

/** In base 32. */
export const newTotpSecret = (): string => new Secret({ size: SECRET_BYTES }).base32;

/** What authenticators scan. */
export const otpauthUri = (secret: string, label: string): string => totpOf(secret, label).toString();

/** The step whose code this is, now or one before or after; undefined when it is none of them. */
export const stepOf = (secret: string, code: string, now: Date): number | undefined => {
  const timestamp = now.getTime();
  const delta = totpOf(secret, '').validate({ token: code, timestamp, window: WINDOW_STEPS });
  return delta === null ? undefined : Math.floor(timestamp / 1_000 / PERIOD_SECONDS) + delta;
};
