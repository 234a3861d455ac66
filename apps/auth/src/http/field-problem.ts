import { Problem } from '@payflow/service';

/** One field of the body that fits its schema and cannot be used all the same. */
export const fieldProblem = (field: string, code: string, message: string): Problem =>
  new Problem('validation_failed', {
    detail: `${field} ${message}.`,
    errors: [{ pointer: `/${field}`, code, message }],
  });
