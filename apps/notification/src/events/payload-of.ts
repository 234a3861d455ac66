import type { Envelope } from '@payflow/contracts';
import { PoisonError } from '@payflow/messaging';
import type { z } from 'zod';

/** @throws PoisonError when the payload is not what its type says */
export const payloadOf = <Definition extends { readonly type: string; readonly payload: z.ZodType }>(
  definition: Definition,
  { type, payload }: Envelope,
): z.infer<Definition['payload']> => {
  const parsed = definition.payload.safeParse(payload);
  if (!parsed.success) throw new PoisonError(`the payload is not that of ${type}`, { cause: parsed.error });
  return parsed.data as z.infer<Definition['payload']>;
};
