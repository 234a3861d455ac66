import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** What a merchant asks for by a code. */
export interface QrCode {
  readonly merchantId: string;
  /** Null: the payer says how much. */
  readonly amountMinor: bigint | null;
  readonly currency: string;
  readonly reference: string | null;
  /** Of a code for one payment; null: it may be paid any number of times. */
  readonly nonce: string | null;
  readonly expiresAt: Date;
}

const PREFIX = 'PAYFLOW1';
const FIELDS = 6;
const TAG_BYTES = 16;

/** A key of its own for codes, made of another (HKDF, RFC 5869): no second one has to be kept. */
export const qrKeyFrom = (key: Buffer): Buffer =>
  Buffer.from(hkdfSync('sha256', key, '', 'payflow wallet qr codes', 32));

/** `PAYFLOW1:` the fields, `:` and an HMAC over all of that: compact enough for a code, and nobody else can write one. */
export const writeQr = (code: QrCode, key: Buffer): string => {
  const fields = [
    code.merchantId,
    code.amountMinor?.toString() ?? '',
    code.currency,
    String(Math.floor(code.expiresAt.getTime() / 1_000)),
    code.nonce ?? '',
    code.reference ?? '',
  ];
  const signed = `${PREFIX}:${Buffer.from(JSON.stringify(fields), 'utf8').toString('base64url')}`;
  return `${signed}:${tagOf(signed, key)}`;
};

/** Undefined for whatever this installation has not signed, and for what has expired. */
export const readQr = (payload: string, key: Buffer, at: Date): QrCode | undefined => {
  const [prefix, body, tag, more] = payload.trim().split(':');
  if (prefix !== PREFIX || body === undefined || tag === undefined || more !== undefined) return undefined;
  if (!isEqual(tag, tagOf(`${prefix}:${body}`, key))) return undefined;
  const fields = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as readonly string[];
  const [merchantId, amount, currency, expires, nonce, reference] = fields;
  if (fields.length !== FIELDS || merchantId === undefined || currency === undefined) return undefined;
  const expiresAt = new Date(Number(expires) * 1_000);
  if (expiresAt <= at) return undefined;
  const amountMinor = amount === undefined || amount === '' ? null : BigInt(amount);
  return { merchantId, amountMinor, currency, expiresAt, nonce: nonce || null, reference: reference || null };
};

const tagOf = (signed: string, key: Buffer): string =>
  createHmac('sha256', key).update(signed).digest().subarray(0, TAG_BYTES).toString('base64url');

const isEqual = (left: string, right: string): boolean => {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
};
