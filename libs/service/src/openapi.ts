import { PROBLEMS, problemSchema } from '@payflow/contracts';
import type { INestApplication } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { ApiResponse, DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';

import { type Route, routesOf } from './access-check.js';
import { PROBLEM_MEDIA_TYPE } from './problem.js';
import type { ServiceName } from './service-name.js';

/** An answer of a route, for its description. */
export const Answers = (status: number, schema: z.ZodType, description: string): MethodDecorator =>
  ApiResponse({ status, description, standardSchema: schema });

/** The service's OpenAPI 3.1 document, made from its routes and their schemas when it is first asked for. */
export class OpenApi {
  private app: INestApplication | undefined;
  private cached: object | undefined;

  constructor(
    private readonly service: ServiceName,
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  describe(app: INestApplication): void {
    this.app = app;
  }

  get document(): object {
    this.cached ??= this.build();
    return this.cached;
  }

  private build(): object {
    if (this.app === undefined) throw new Error('invariant: no application to describe');
    const info = new DocumentBuilder()
      .setOpenAPIVersion('3.1.0')
      .setTitle(`PayFlow ${this.service}`)
      .setVersion('1.0')
      .setLicense('MIT', 'https://spdx.org/licenses/MIT.html')
      .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, SECURITY_SCHEME)
      .build();
    const document = SwaggerModule.createDocument(this.app, info, {
      operationIdFactory: (_controller, handler) => handler,
      standardSchemaConverter: (schema, { schemaType }) => converted(schema, schemaType),
    });
    const routes = routesOf(this.discovery, this.scanner, this.reflector);
    return publicDocument(document, new Map(routes.map((route) => [route.handler, route])));
  }
}

const SECURITY_SCHEME = 'accessToken';

/** A Zod schema in JSON Schema 2020-12, which OpenAPI 3.1 embeds; schemas with an `id` become components. */
const converted = (
  schema: unknown,
  io: 'input' | 'output',
): { schema: unknown; components: Record<string, unknown> } | undefined => {
  if (!(schema instanceof z.core.$ZodType)) return undefined;
  const json = z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any' }) as Record<
    string,
    unknown
  >;
  const { $schema: _dialect, $defs = {}, ...root } = json;
  const components = withoutIds($defs as Record<string, Record<string, unknown>>);
  const { id, ...anonymous } = root;
  if (typeof id !== 'string') return { schema: root, components };
  return { schema: { $ref: `#/$defs/${id}` }, components: { ...components, [id]: anonymous } };
};

const withoutIds = (definitions: Record<string, Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(definitions).map(([name, { id: _id, ...definition }]) => [name, definition]));

type Operation = Record<string, unknown> & { operationId: string; responses: Record<string, unknown> };
const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
const HIDDEN_PATHS = /^\/(internal|health|metrics|openapi\.json)(\/|$)/;

/** The document without what services keep for each other, with scopes and errors on each operation. */
const publicDocument = (document: OpenAPIObject, routes: ReadonlyMap<string, Route>): object => {
  const problem = converted(problemSchema, 'output');
  const paths = Object.fromEntries(
    Object.entries(document.paths)
      .filter(([path]) => !HIDDEN_PATHS.test(path))
      .map(([path, item]) => [path, describedPath(item as unknown as Record<string, unknown>, routes)]),
  );
  const schemas = { ...document.components?.schemas, ...problem?.components };
  const described = {
    ...document,
    paths,
    components: { ...document.components, schemas, responses: { Problem: problemResponse } },
  };
  return JSON.parse(JSON.stringify(described)) as object;
};

const describedPath = (item: Record<string, unknown>, routes: ReadonlyMap<string, Route>): Record<string, unknown> => {
  const operations = METHODS.filter((method) => item[method] !== undefined).map((method) => {
    const operation = item[method] as Operation;
    return [method, describedOperation(operation, method, routes.get(operation.operationId))] as const;
  });
  return { ...item, ...Object.fromEntries(operations) };
};

const describedOperation = (operation: Operation, method: string, route: Route | undefined): Operation => {
  const rule = route?.rule;
  const scopes = rule === undefined || rule.public ? [] : rule.scopes;
  const secured = rule !== undefined && !rule.public;
  return {
    ...operation,
    responses: { ...operation.responses, ...errorResponses(method, secured) },
    security: secured ? [{ [SECURITY_SCHEME]: [] }] : [],
    ...(secured ? { 'x-required-scopes': scopes } : {}),
  };
};

/** The refusals every route may answer; `default` stands for the codes that its description names. */
const errorResponses = (method: string, secured: boolean): Record<string, unknown> => {
  const statuses = [400, ...(secured ? [401, 403] : []), ...(method === 'get' ? [] : [409, 422]), 429, 503];
  const reference = { $ref: '#/components/responses/Problem' };
  return { ...Object.fromEntries(statuses.map((status) => [String(status), reference])), default: reference };
};

const problemResponse = {
  description: `A refusal as an RFC 9457 problem document. Codes: ${Object.keys(PROBLEMS).join(', ')}.`,
  content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
};
