import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';

import { ACCESS, type AccessRule, rememberCaller } from './access.js';
import { AccessTokens } from './access-tokens.js';
import { Problem } from './problem.js';

/** Lets a request through when its token has every scope the route asks for. A route without a rule is closed. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: AccessTokens,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const rule = this.reflector.getAllAndOverride<AccessRule | undefined>(ACCESS, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (rule === undefined) throw new Error('invariant: a route without @Access or @Public');
    if (rule.public) return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const principal = await this.tokens.principalOf(request.headers.authorization);
    const missing = rule.scopes.find((scope) => !principal.scopes.includes(scope));
    if (missing !== undefined) {
      throw new Problem('insufficient_scope', { detail: `The route needs the scope ${missing}.` });
    }
    rememberCaller(request, principal);
    return true;
  }
}
