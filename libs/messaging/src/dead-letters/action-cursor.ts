import { Problem } from '@payflow/service';

/** The number of the last action of the page before. @throws Problem validation_failed */
export const actionCursorOf = (cursor: string | undefined): bigint | undefined => {
  if (cursor === undefined) return undefined;
  if (!/^\d{1,18}$/.test(cursor))
    throw new Problem('validation_failed', {
      errors: [{ pointer: '?cursor', code: 'invalid_cursor', message: 'is not a cursor of this list' }],
    });
  return BigInt(cursor);
};
