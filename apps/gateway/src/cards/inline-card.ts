import { type Card, inlineCardMethodSchema } from '@payflow/contracts';
import { parseJsonBody, Problem, validationProblem } from '@payflow/service';

import { memberSpan } from './member-span.js';

/** A body that carries a card where a payment's token belongs. */
export interface InlineCard {
  readonly card: Card;
  /** The merchant that staff act for: the token has to be his. */
  readonly merchantId: string | undefined;
  /** The same body with the token in the card's place, every other byte unchanged. */
  withToken(tokenId: string): Buffer;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The inline card of a payment request, or undefined when there is none. No error repeats a value: it may be a card number.
 *
 * @throws Problem malformed_json | validation_failed
 */
export const inlineCardOf = (bytes: Buffer): InlineCard | undefined => {
  const body = parseJsonBody(bytes);
  if (!isObject(body)) return undefined;
  const method = body['paymentMethod'];
  if (!isObject(method) || !Object.hasOwn(method, 'card')) {
    refuseStrayCard(body);
    return undefined;
  }
  const parsed = inlineCardMethodSchema.safeParse(method);
  if (!parsed.success) {
    throw validationProblem(parsed.error.issues.map((issue) => ({ ...issue, path: ['paymentMethod', ...issue.path] })));
  }
  const { paymentMethod: _card, ...rest } = body;
  refuseStrayCard(rest);
  const merchantId = body['merchantId'];
  return {
    card: parsed.data.card,
    merchantId: typeof merchantId === 'string' ? merchantId : undefined,
    withToken: (tokenId) => withTokenIn(bytes, tokenId),
  };
};

const withTokenIn = (bytes: Buffer, tokenId: string): Buffer => {
  const text = bytes.toString('utf8');
  const span = memberSpan(text, 'paymentMethod');
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
