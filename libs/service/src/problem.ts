import { type FieldError, type ProblemCode, type ProblemDocument, PROBLEMS } from '@payflow/contracts';
import type { Json } from '@payflow/kernel';

import { maskCardNumbers } from './card-mask.js';

export interface ProblemOptions {
  /** One sentence about this occurrence. Never a card number, a secret, SQL or a stack. */
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the document, named by the code's page. */
  readonly extensions?: Readonly<Record<string, Json>>;
  readonly cause?: unknown;
}

/** A refusal the caller can act on. The filter turns it into an RFC 9457 document. */
export class Problem extends Error {
  override readonly name: string = 'Problem';
  readonly status: number;
  readonly detail: string | undefined;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly extensions: Readonly<Record<string, Json>>;

  constructor(
    readonly code: ProblemCode,
    options: ProblemOptions = {},
  ) {
    super(options.detail ?? PROBLEMS[code].title, { cause: options.cause });
    this.status = PROBLEMS[code].status;
    this.detail = options.detail;
    this.errors = options.errors;
    this.headers = { ...standardHeaders(code, options), ...options.headers };
    this.extensions = options.extensions ?? {};
  }
}

/** Seconds after which a repetition may succeed, for codes that mean "not now". */
const RETRY_AFTER_SECONDS: Partial<Record<ProblemCode, number>> = {
  idempotency_key_in_use: 1,
  rate_limited: 1,
  dependency_unavailable: 2,
};

const REALM = 'Bearer realm="payflow"';

/** RFC 6750 §3: a challenge with each 401, and the error in it only when a token was sent. */
const challengeOf = (code: ProblemCode, detail: string | undefined): string | undefined => {
  if (code === 'invalid_token') return `${REALM}, error="invalid_token"${description(detail)}`;
  if (code === 'insufficient_scope') return `${REALM}, error="insufficient_scope"${description(detail)}`;
  return PROBLEMS[code].status === 401 ? REALM : undefined;
};

const description = (detail: string | undefined): string =>
  detail === undefined ? '' : `, error_description="${detail.replaceAll(/[^\x20-\x7e]|["\\]/g, '')}"`;

const standardHeaders = (code: ProblemCode, options: ProblemOptions): Record<string, string> => {
  const seconds = RETRY_AFTER_SECONDS[code];
  const challenge = challengeOf(code, options.detail);
  return {
    ...(seconds === undefined ? {} : { 'retry-after': String(seconds) }),
    ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
  };
};

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** The document as it is sent. `type` resolves at the gateway to the code's page. */
export const problemDocument = (problem: Problem, requestId: string, gatewayUrl: string): ProblemDocument => {
  const page = `${gatewayUrl}/docs/problems/${problem.code}`;
  return {
    ...problem.extensions,
    type: page,
    title: PROBLEMS[problem.code].title,
    status: problem.status,
    // Where there is nothing special to say, what helps in general.
    detail: maskCardNumbers(problem.detail ?? PROBLEMS[problem.code].remedy),
    code: problem.code,
    ...(problem.errors === undefined ? {} : { errors: problem.errors.map(withoutCardNumbers) }),
    requestId,
    docUrl: page,
  };
};

/** A pointer repeats the names of unknown fields, and people paste card numbers anywhere. */
const withoutCardNumbers = ({ pointer, code, message }: FieldError): FieldError => ({
  pointer: maskCardNumbers(pointer),
  code,
  message: maskCardNumbers(message),
});
