/** The database did not answer, or ended the connection. Whatever was in the transaction is rolled back. */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError';
}

/**
 * The answer to COMMIT was lost and the server did not tell within the deadline what became of it. The caller may assume
 * neither: he answers 503, and the repetition with the same idempotency key finds out.
 */
export class CommitOutcomeUnknownError extends DatabaseUnavailableError {}

/** PostgreSQL error classes (Appendix A) after which the server or the connection is gone: 08 connection, 57P shutdown, 53 resources. */
const UNAVAILABLE_SQLSTATE = /^(08...|57P0[1-5]|53...)$/;
const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
]);
/** What pg says, without a code, when a connection or a client-side deadline broke. */
const CONNECTION_MESSAGE =
  /Connection terminated|Query read timeout|timeout exceeded when trying to connect|not queryable|Client was closed|connection timeout/i;

/** By shape, not by `instanceof`: errors of the operating system come from another realm under Jest. */
const isErrorLike = (error: unknown): error is { readonly code?: unknown; readonly message: unknown } =>
  typeof error === 'object' && error !== null && 'message' in error;

const codeOf = (error: unknown): string | undefined =>
  isErrorLike(error) && typeof error.code === 'string' ? error.code : undefined;

/** Whether the connection, not the statement, is at fault. */
export const isConnectionFailure = (error: unknown): boolean => {
  const code = codeOf(error);
  if (code !== undefined) return NETWORK_CODES.has(code) || UNAVAILABLE_SQLSTATE.test(code);
  return isErrorLike(error) && CONNECTION_MESSAGE.test(String(error.message));
};

/** 40001 serialization failure, 40P01 deadlock: the transaction did nothing and may be run again. */
export const isRetryable = (error: unknown): boolean => ['40001', '40P01'].includes(codeOf(error) ?? '');

/** 23505: another row has this key. `constraint` narrows it to one constraint or unique index. */
export const isUniqueViolation = (error: unknown, constraint?: string): boolean =>
  codeOf(error) === '23505' &&
  (constraint === undefined || (isErrorLike(error) && 'constraint' in error && error.constraint === constraint));
