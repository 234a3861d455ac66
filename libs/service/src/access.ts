import type { Principal, Scope } from '@payflow/contracts';
import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

export const ACCESS = 'payflow:access';

/** What a route asks of its caller: nothing, or a token with all of these scopes. */
export type AccessRule = { readonly public: true } | { readonly public: false; readonly scopes: readonly Scope[] };

/** The route needs a valid access token with all of these scopes (none: any valid token). */
export const Access = (...scopes: readonly Scope[]): MethodDecorator & ClassDecorator =>
  SetMetadata(ACCESS, { public: false, scopes } satisfies AccessRule);

/** The route needs no token. */
export const Public = (): MethodDecorator & ClassDecorator =>
  SetMetadata(ACCESS, { public: true } satisfies AccessRule);

/** Principals by request, set by the guard. */
const callers = new WeakMap<FastifyRequest, Principal>();

export const rememberCaller = (request: FastifyRequest, principal: Principal): void => {
  callers.set(request, principal);
};

export const callerOf = (request: FastifyRequest): Principal | undefined => callers.get(request);

/** The verified principal of a route with @Access. */
export const Caller = createParamDecorator((_data: unknown, context: ExecutionContext): Principal => {
  const principal = callerOf(context.switchToHttp().getRequest<FastifyRequest>());
  if (principal === undefined) throw new Error('invariant: @Caller on a route without @Access');
  return principal;
});
