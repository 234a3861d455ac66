import { DatabaseUnavailableError } from '@payflow/postgres';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { HttpConfig } from './config.js';
import { Logger } from './log.js';
import { Problem, PROBLEM_MEDIA_TYPE, problemDocument } from './problem.js';
import { AllowedMethods } from './allowed-methods.js';
import { pathOf } from './request.js';

/** Turns whatever a request ended in into an RFC 9457 document. Nothing of an unexpected error reaches the caller. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly config: Pick<HttpConfig, 'GATEWAY_URL'>,
    private readonly logger: Logger,
    private readonly allowedMethods: AllowedMethods,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw error;
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const problem = this.problemOf(error, request);
    if (problem.status >= 500) this.logger.error({ err: error, code: problem.code }, 'request failed');
    if (reply.sent) return;
    sendProblem(reply, problem, request.id, this.config.GATEWAY_URL);
  }

  private problemOf(error: unknown, request: FastifyRequest): Problem {
    if (error instanceof HttpException && error.getStatus() === 404) return this.notFound(request);
    return problemOf(error);
  }

  private notFound(request: FastifyRequest): Problem {
    const methods = this.allowedMethods.of(pathOf(request.url));
    if (methods.length === 0 || methods.includes(request.method)) return new Problem('route_not_found');
    const allow = methods.join(', ');
    return new Problem('method_not_allowed', { detail: `The route takes ${allow}.`, headers: { allow } });
  }
}

export const sendProblem = (reply: FastifyReply, problem: Problem, requestId: string, gatewayUrl: string): void => {
  void reply
    .code(problem.status)
    .headers({
      'content-type': PROBLEM_MEDIA_TYPE,
      'cache-control': 'no-store',
      'x-request-id': requestId,
      ...problem.headers,
    })
    .send(JSON.stringify(problemDocument(problem, requestId, gatewayUrl)));
};

/** The problem that an error of ours, of Fastify or of Nest stands for. */
export const problemOf = (error: unknown): Problem => {
  if (error instanceof Problem) return error;
  if (error instanceof DatabaseUnavailableError || isOverload(error)) {
    return new Problem('dependency_unavailable', { detail: 'The database does not answer.', cause: error });
  }
  const cause = error instanceof HttpException ? (error.cause ?? error) : error;
  if (cause instanceof Problem) return cause;
  return frameworkProblem(codeOf(cause), statusOf(error), cause);
};

/** Lock and statement time-outs of Postgres (55P03, 57014): nothing was committed, and later it may work. */
const isOverload = (error: unknown): boolean => ['55P03', '57014'].includes(codeOf(error));

/** By shape, not by `instanceof`: errors of the operating system come from another realm under Jest. */
const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';

const statusOf = (error: unknown): number => {
  if (error instanceof HttpException) return error.getStatus();
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : 500;
};

const frameworkProblem = (code: string, status: number, cause: unknown): Problem => {
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Problem('body_too_large', { detail: `The body may have at most ${BODY_BYTES_MAX} bytes.`, cause });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_CTP_EMPTY_TYPE':
      return new Problem('unsupported_media_type', { cause });
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new Problem('malformed_json', { detail: 'The body is not as long as Content-Length says.', cause });
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
    case 'FST_ERR_NOT_FOUND':
      return new Problem('route_not_found', { cause });
    default:
      return problemOfStatus(status, cause);
  }
};

/** Bodies above this are refused before they are parsed. */
export const BODY_BYTES_MAX = 100 * 1024;

const problemOfStatus = (status: number, cause: unknown): Problem => {
  switch (status) {
    case 400:
      return new Problem('malformed_json', { detail: 'The request cannot be read.', cause });
    case 401:
      return new Problem('authentication_required', { cause });
    case 404:
      return new Problem('route_not_found', { cause });
    case 408:
      return new Problem('request_timeout', { cause });
    case 413:
      return new Problem('body_too_large', { detail: `The body may have at most ${BODY_BYTES_MAX} bytes.`, cause });
    case 414:
      return new Problem('route_not_found', { cause });
    case 415:
      return new Problem('unsupported_media_type', { cause });
    case 431:
      return new Problem('headers_too_large', { cause });
    case 503:
      return new Problem('dependency_unavailable', { cause });
    default:
      return new Problem('internal_error', { cause });
  }
};
