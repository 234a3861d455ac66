import { RequestMethod } from '@nestjs/common';
import type { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';

import { ACCESS, type AccessRule } from './access.js';

/** Nest's own metadata of a route handler (`@nestjs/common` constants). */
const PATH_METADATA = 'path';
const METHOD_METADATA = 'method';

export interface Route {
  readonly controller: string;
  readonly handler: string;
  readonly method: string;
  readonly rule: AccessRule | undefined;
}

/** Every HTTP route of the application with its access rule. */
export const routesOf = (
  discovery: DiscoveryService,
  scanner: MetadataScanner,
  reflector: Reflector,
): readonly Route[] =>
  discovery.getControllers().flatMap(({ metatype }) => {
    if (typeof metatype !== 'function') return [];
    const prototype = metatype.prototype as Readonly<Record<string, unknown>>;
    return scanner.getAllMethodNames(prototype).flatMap((handler) => {
      const target = prototype[handler];
      if (typeof target !== 'function' || !Reflect.hasMetadata(PATH_METADATA, target)) return [];
      const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, target) as RequestMethod];
      const rule = reflector.getAllAndOverride<AccessRule | undefined>(ACCESS, [target, metatype]);
      return [{ controller: metatype.name, handler, method, rule }];
    });
  });

/** Refuses to start while a route says neither who may call it nor that everyone may. */
export const requireAccessRules = (routes: readonly Route[]): void => {
  const open = routes
    .filter(({ rule }) => rule === undefined)
    .map(({ controller, handler }) => `${controller}.${handler}`);
  if (open.length > 0) throw new Error(`every route needs @Access or @Public: ${open.join(', ')}`);
};
