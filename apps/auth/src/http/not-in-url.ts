import { type CanActivate, type ExecutionContext, Injectable, UseGuards } from '@nestjs/common';
import { Problem } from '@payflow/service';
import type { FastifyRequest } from 'fastify';

@Injectable()
class FieldsStayOutOfUrls implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { query } = context.switchToHttp().getRequest<FastifyRequest>();
    const fields = Object.keys(query as Readonly<Record<string, unknown>>);
    if (fields.length === 0) return true;
    throw new Problem('validation_failed', {
      detail: 'Send the fields in the body: passwords and codes do not belong in URLs.',
      errors: fields.map((field) => ({ pointer: `?${field}`, code: 'not_in_url', message: 'belongs in the body' })),
    });
  }
}

/**
 * Names, passwords and codes in a URL are refused, not read: URLs stand in the logs and histories of every machine on the
 * way. Before the body is looked at, which is empty then.
 */
export const NothingInUrl = (): MethodDecorator => UseGuards(FieldsStayOutOfUrls);
