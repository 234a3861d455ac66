import type { Json } from '@payflow/kernel';

/** `************4242`: what may be shown of a card number (PCI DSS 3.4.1 allows more). */
export const maskedNumber = (number: string): string => '*'.repeat(number.length - 4) + number.slice(-4);

/** Names under which an acquirer might repeat the CVC. It is too short to be searched for by value. */
const CVC_FIELDS = /^(card_?)?(cvc2?|cvv2?|cid|security_?code|verification_?value)$/i;

/**
 * An acquirer's answer without the card: the number as text (also in groups, in hexadecimal or base 64), as a JSON
 * number and as a key is masked, whatever the acquirer meant by repeating it.
 */
export const scrub = (answer: Json, number: string): Json => {
  const mask = maskedNumber(number);
  const grouped = new RegExp(Array.from(number).join('[ -]?'), 'g');
  const encoded = encodingsOf(number);
  const scrubText = (text: string): string =>
    encoded.reduce((rest, needle) => rest.replaceAll(needle, mask), text.replaceAll(grouped, mask));
  const scrubValue = (value: Json): Json => {
    if (typeof value === 'string') return scrubText(value);
    if (typeof value === 'number') return value === Number(number) ? mask : value;
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return (value as readonly Json[]).map(scrubValue);
    return Object.fromEntries(
      Object.entries(value as Readonly<Record<string, Json>>).map(([key, member]) => [
        scrubText(key),
        CVC_FIELDS.test(key) && member !== null ? '***' : scrubValue(member),
      ]),
    );
  };
  return scrubValue(answer);
};

const encodingsOf = (number: string): readonly string[] => {
  const bytes = new TextEncoder().encode(number);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex, btoa(number), btoa(number).replace(/=+$/, '')];
};
