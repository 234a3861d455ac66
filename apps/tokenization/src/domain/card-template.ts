import type { Json } from '@payflow/kernel';

/** A card as it is filled into a request. Exists in memory, for the time of one forward. */
export interface ClearCard {
  readonly number: string;
  readonly expMonth: number;
  readonly expYear: number;
  readonly cvc: string | undefined;
  readonly holderName: string | undefined;
}

const PLACEHOLDER = /\{\{card\.(number|cvc|holderName|expMonth|expYear)\}\}/g;

/**
 * Fills the card into the string values below the body's member `card`, and nowhere else: other members carry texts of the
 * merchant (a statement descriptor), who could write a placeholder there and have the number printed. A value that is
 * nothing but a placeholder of something the card does not have (no CVC in memory, no holder's name) is left out; inside
 * a longer text it becomes empty.
 */
export const fillCard = (body: Readonly<Record<string, Json>>, card: ClearCard): Json => {
  const template = body['card'];
  return template === undefined ? body : { ...body, card: filled(template, card) ?? null };
};

/**
 * Fills the card into the fields of a form that belong to a card by their name, `payment_method_data[card][number]`, and
 * into no others, for the reason above. A field of something the card does not have is left out.
 */
export const fillForm = (fields: Readonly<Record<string, string>>, card: ClearCard): string =>
  new URLSearchParams(
    Object.entries(fields).flatMap(([name, text]): [string, string][] => {
      const value = isOfCard(name) ? filledText(text, card) : text;
      return value === undefined ? [] : [[name, String(value)]];
    }),
  ).toString();

const isOfCard = (name: string): boolean => name.split(/[[\]]+/).includes('card');

const filled = (value: Json, card: ClearCard): Json | undefined => {
  if (typeof value === 'string') return filledText(value, card);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) {
    return (value as readonly Json[]).map((item) => filled(item, card)).filter((item) => item !== undefined);
  }
  return Object.fromEntries(
    Object.entries(value as Readonly<Record<string, Json>>).flatMap(([key, member]) => {
      const result = filled(member, card);
      return result === undefined ? [] : [[key, result]];
    }),
  );
};

const filledText = (text: string, card: ClearCard): string | number | undefined => {
  switch (text) {
    case '{{card.expMonth}}':
      return card.expMonth;
    case '{{card.expYear}}':
      return card.expYear;
    case '{{card.cvc}}':
      return card.cvc;
    case '{{card.holderName}}':
      return card.holderName;
    default:
      return text.replaceAll(PLACEHOLDER, (_, field: keyof ClearCard) => String(card[field] ?? ''));
  }
};
