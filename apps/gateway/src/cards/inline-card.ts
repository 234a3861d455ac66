import { type Card, inlineCardMethodSchema, type PrintedCardMethod, printedCardMethodSchema } from '@payflow/contracts';
import { isId } from '@payflow/kernel';
import { parseJsonBody, Problem, validationProblem } from '@payflow/service';
import type { z } from 'zod';

import { memberSpan } from './member-span.js';

/** A body that carries a card where a payment's token belongs. */
export interface InlineCard {
  readonly card: Card;
  /** The merchant that staff act for: the token has to be his. */
  readonly merchantId: string | undefined;
  /** Where a member of the card (`number`, `expYear` …) stands in the body. */
  pointerOf(member: string): string;
  /** The same body with the token in the card's place, every other byte unchanged. */
  withToken(tokenId: string): Buffer;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The inline card of a payment request, or undefined when there is none: at `paymentMethod.card`, or at
 * `payment_method.details` in the call that the requirement documents print. No error repeats a value: it may be a card
 * number.
 *
 * @throws Problem malformed_json | validation_failed
 */
export const inlineCardOf = (bytes: Buffer): InlineCard | undefined => {
  const body = parseJsonBody(bytes);
  if (!isObject(body)) return undefined;
  const spelling = SPELLINGS.find(({ method, card }) => {
    const value = body[method];
    return isObject(value) && Object.hasOwn(value, card);
  });
  if (!spelling) {
    refuseStrayCard(body);
    return undefined;
  }
  const { method, merchant, read, pointerOf } = spelling;
  const card = read(body[method]);
  refuseStrayCard({ ...body, [method]: undefined });
  const merchantId = body[merchant];
  return {
    card,
    merchantId: typeof merchantId === 'string' && isId('mer', merchantId) ? merchantId : undefined,
    pointerOf,
    withToken: (tokenId) => withTokenIn(bytes, method, tokenId),
  };
};

/** The two ways in which a payment request carries a card. */
interface Spelling {
  readonly method: string;
  /** The member of the method that holds it. */
  readonly card: string;
  readonly merchant: string;
  readonly read: (method: unknown) => Card;
  readonly pointerOf: InlineCard['pointerOf'];
}

const parsedMethod = <Schema extends z.ZodType>(schema: Schema, name: string, method: unknown): z.output<Schema> => {
  const parsed = schema.safeParse(method);
  if (parsed.success) return parsed.data;
  throw validationProblem(parsed.error.issues.map((issue) => ({ ...issue, path: [name, ...issue.path] })));
};

/** Where a member of the vault's card stands in the printed call. */
const PRINTED_MEMBERS: Readonly<Record<string, string>> = {
  number: 'card_number',
  expMonth: 'expiry_date',
  expYear: 'expiry_date',
  cvc: 'cvv',
};

const SPELLINGS: readonly Spelling[] = [
  {
    method: 'paymentMethod',
    card: 'card',
    merchant: 'merchantId',
    read: (method) => parsedMethod(inlineCardMethodSchema, 'paymentMethod', method).card,
    pointerOf: (member) => `/paymentMethod/card/${member}`,
  },
  {
    method: 'payment_method',
    card: 'details',
    merchant: 'merchant_id',
    read: (method) => printedCardOf(parsedMethod(printedCardMethodSchema, 'payment_method', method)),
    pointerOf: (member) => `/payment_method/details/${PRINTED_MEMBERS[member] ?? ''}`,
  },
];

const CENTURY = 2_000;

const printedCardOf = ({ details }: PrintedCardMethod): Card => {
  const [month = '', year = ''] = details.expiry_date.split('/');
  return {
    number: details.card_number,
    expMonth: Number(month),
    expYear: (Number(year) % CENTURY) + CENTURY,
    ...(details.cvv === undefined ? {} : { cvc: details.cvv }),
  };
};

const withTokenIn = (bytes: Buffer, member: string, tokenId: string): Buffer => {
  const text = bytes.toString('utf8');
  const span = memberSpan(text, member);
  if (!span) throw new Error('invariant: a parsed member has a place in the text');
  const method = JSON.stringify({ type: 'card', token: tokenId });
  return Buffer.from(text.slice(0, span.start) + method + text.slice(span.end), 'utf8');
};

/** Members in which people put card numbers by mistake, whatever the spelling. */
const CARD_MEMBER = /^(card|pan|number|card_?number|cvc|cvv2?|security_?code|card_?details)$/i;
const CARD_NUMBER = /^\d{12,19}$/;

/**
 * A card anywhere else would reach a service that must never see one (PCI DSS scope): refused here, where it was read
 * already. The service would refuse the unknown field too, but then it would have had the card.
 */
const refuseStrayCard = (value: unknown, path = '', inCard = false): void => {
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      refuseStrayCard(item, `${path}/${index}`, inCard);
    });
    return;
  }
  if (isObject(value)) {
    for (const [key, member] of Object.entries(value))
      refuseStrayCard(
        member,
        `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
        inCard || CARD_MEMBER.test(key),
      );
    return;
  }
  if (!inCard || (typeof value !== 'string' && typeof value !== 'number')) return;
  if (!CARD_NUMBER.test(String(value).replaceAll(/[ -]/g, ''))) return;
  throw new Problem('validation_failed', {
    errors: [{ pointer: path, code: 'card_not_allowed', message: 'a card belongs at /paymentMethod/card' }],
  });
};
