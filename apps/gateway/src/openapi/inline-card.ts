import { inlineCardMethodSchema } from '@payflow/contracts';
import { z } from 'zod';

interface Schemas {
  [name: string]: unknown;
}

const COMPONENTS = '#/components/schemas/';

/**
 * Where the payment service takes a token only, the gateway also takes a card and swaps it: the description that people see
 * must say so.
 */
export const withInlineCard = (document: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
  const components = document['components'] as Readonly<Record<string, Schemas>> | undefined;
  const method = components?.['schemas']?.['PaymentMethod'] as Readonly<Record<string, unknown>> | undefined;
  const choices = method && (['oneOf', 'anyOf'] as const).find((key) => Array.isArray(method[key]));
  if (!components || !method || !choices) return document;
  const { InlineCardPaymentMethod, ...used } = inlineCardSchemas();
  const reference = { $ref: `${COMPONENTS}InlineCardPaymentMethod` };
  return {
    ...document,
    components: {
      ...components,
      schemas: {
        ...used,
        ...components['schemas'],
        PaymentMethod: { ...method, [choices]: [...(method[choices] as unknown[]), reference] },
        InlineCardPaymentMethod,
      },
    },
  };
};

/** The schema and those it refers to, by name. Zod puts the outermost among the definitions or beside them. */
const inlineCardSchemas = (): Schemas => {
  const schema = z.toJSONSchema(inlineCardMethodSchema, { target: 'draft-2020-12', io: 'input' });
  const text = JSON.stringify(schema).replaceAll('"#/$defs/', `"${COMPONENTS}`);
  const { $schema: _dialect, $defs = {}, ...root } = JSON.parse(text) as Record<string, unknown>;
  const named = { InlineCardPaymentMethod: root, ...($defs as Record<string, Record<string, unknown>>) };
  return Object.fromEntries(Object.entries(named).map(([name, { id: _id, ...definition }]) => [name, definition]));
};
