import { PROBLEMS, problemSchema } from '@payflow/contracts';
import type { INestApplication } from '@nestjs/common';
import type { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
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
    const converter = new SchemaConverter();
    const problem = converter.convert(problemSchema, 'output');
    const info = new DocumentBuilder()
      .setOpenAPIVersion('3.1.0')
      .setTitle(`PayFlow ${this.service}`)
      .setVersion('1.0')
      .setLicense('MIT', 'https://spdx.org/licenses/MIT.html')
      .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, SECURITY_SCHEME)
      .build();
    const document = SwaggerModule.createDocument(this.app, info, {
      operationIdFactory: (_controller, handler) => handler,
      standardSchemaConverter: (schema, { schemaType }) => converter.convert(schema, schemaType),
    });
    const routes = routesOf(this.discovery, this.scanner, this.reflector);
    const components = { ...document.components?.schemas, ...problem?.components };
    return publicDocument(document, components, new Map(routes.map((route) => [route.handler, route])));
  }
}

const SECURITY_SCHEME = 'accessToken';

type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * A Zod schema in JSON Schema 2020-12, which OpenAPI 3.1 embeds; schemas with an `id` become components. One that differs
 * as a request from what it is as an answer (defaults make members optional) has a second name for the one met later.
 */
class SchemaConverter {
  private readonly known = new Map<string, string>();

  convert(
    schema: unknown,
    io: 'input' | 'output',
  ): { schema: JsonSchema; components: Record<string, JsonSchema> } | undefined {
    if (!(schema instanceof z.core.$ZodType)) return undefined;
    const json = z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any' });
    const {
      $schema: _dialect,
      $defs = {},
      ...root
    } = json as JsonSchema & { readonly $defs?: Record<string, JsonSchema> };
    const components = Object.fromEntries(
      Object.entries($defs).map(([name, definition]) => [name, withoutId(definition)]),
    );
    const suffix = io === 'input' ? 'Request' : 'Response';
    if (typeof root['id'] !== 'string') return this.renamed(root, components, suffix);
    return this.renamed({ $ref: `#/$defs/${root['id']}` }, { ...components, [root['id']]: withoutId(root) }, suffix);
  }

  private renamed(
    schema: JsonSchema,
    components: Readonly<Record<string, JsonSchema>>,
    suffix: string,
  ): { schema: JsonSchema; components: Record<string, JsonSchema> } {
    const renamed = Object.keys(components).filter((name) => this.isKnownOtherwise(name, components));
    const named = Object.entries(components).map(([name, definition]) => [
      renamed.includes(name) ? name + suffix : name,
      definition,
    ]);
    let text = JSON.stringify({ schema, named });
    for (const name of renamed) text = text.replaceAll(`"#/$defs/${name}"`, `"#/$defs/${name}${suffix}"`);
    const parsed = JSON.parse(text) as { schema: JsonSchema; named: [string, JsonSchema][] };
    return { schema: parsed.schema, components: Object.fromEntries(parsed.named) };
  }

  private isKnownOtherwise(name: string, components: Readonly<Record<string, JsonSchema>>): boolean {
    const spelled = JSON.stringify([...reachable(name, components)].map((part) => [part, components[part]]));
    const other = this.known.get(name) ?? spelled;
    this.known.set(name, other);
    return other !== spelled;
  }
}

/** A schema's own name and those of all it refers to: it differs from another when any of them does. */
const reachable = (
  name: string,
  components: Readonly<Record<string, JsonSchema>>,
  met = new Set<string>(),
): Set<string> => {
  if (met.has(name)) return met;
  met.add(name);
  for (const [, next = ''] of JSON.stringify(components[name] ?? null).matchAll(/"#\/\$defs\/([^"]+)"/g)) {
    reachable(next, components, met);
  }
  return met;
};

const withoutId = ({ id: _id, ...definition }: JsonSchema): JsonSchema => definition;

type Operation = Record<string, unknown> & {
  readonly operationId: string;
  readonly parameters: readonly { readonly name?: string; readonly in?: string }[];
  readonly responses: Record<string, unknown>;
};
const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
const HIDDEN_PATHS = /^\/(internal|health|metrics|openapi\.json)(\/|$)/;

/** The document without what services keep for each other, with scopes and errors on each operation. */
const publicDocument = (document: OpenAPIObject, schemas: object, routes: ReadonlyMap<string, Route>): object => {
  const paths = Object.fromEntries(
    Object.entries(document.paths)
      .filter(([path]) => !HIDDEN_PATHS.test(path))
      .map(([path, item]) => [path, describedPath(path, item as unknown as Record<string, unknown>, routes)]),
  );
  const described = {
    ...document,
    paths,
    components: {
      ...document.components,
      schemas: schemasUsed(paths, schemas as Readonly<Record<string, unknown>>),
      parameters: { IdempotencyKey: idempotencyKeyParameter },
      responses: { Problem: problemResponse },
    },
  };
  // The generated object is still held by @nestjs/swagger's classes; what is served is plain data.
  return JSON.parse(JSON.stringify(described)) as object;
};

/** The schemas that the public operations reach; those of hidden routes stay hidden. */
const schemasUsed = (paths: object, schemas: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const used = new Set<string>(['Problem']);
  const queue: unknown[] = [paths, schemas['Problem']];
  for (let value = queue.pop(); queue.length > 0 || value !== undefined; value = queue.pop()) {
    for (const [, name = ''] of JSON.stringify(value ?? null).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (!used.has(name)) queue.push(schemas[name]);
      used.add(name);
    }
  }
  return Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name)));
};

const describedPath = (
  path: string,
  item: Record<string, unknown>,
  routes: ReadonlyMap<string, Route>,
): Record<string, unknown> => {
  const operations = METHODS.filter((method) => item[method] !== undefined).map((method) => {
    const operation = item[method] as Operation;
    return [method, describedOperation(operation, method, path, routes.get(operation.operationId))] as const;
  });
  return { ...item, ...Object.fromEntries(operations) };
};

const describedOperation = (
  operation: Operation,
  method: string,
  path: string,
  route: Route | undefined,
): Operation => {
  const rule = route?.rule;
  const scopes = rule === undefined || rule.public ? [] : rule.scopes;
  const secured = rule !== undefined && !rule.public;
  const takesKey = secured && method !== 'get';
  return {
    ...operation,
    parameters: [
      ...operation.parameters,
      ...pathParametersMissing(path, operation.parameters),
      ...(takesKey ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : []),
    ],
    responses: { ...operation.responses, ...errorResponses(method, secured) },
    security: secured ? [{ [SECURITY_SCHEME]: [] }] : [],
    ...(secured ? { 'x-required-scopes': scopes } : {}),
  };
};

/** OpenAPI wants each parameter of the path described, also where the handler does not read it by name. */
const pathParametersMissing = (path: string, parameters: Operation['parameters']): readonly object[] =>
  [...path.matchAll(/\{(\w+)\}/g)]
    .map(([, name]) => name)
    .filter((name) => !parameters.some((parameter) => parameter.in === 'path' && parameter.name === name))
    .map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));

const idempotencyKeyParameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'Chosen by the caller, once for each thing he wants to happen. The same request with the same key is answered as the first time.',
  schema: { type: 'string', minLength: 1, maxLength: 255, pattern: String.raw`^[\x20-\x7e]+$` },
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
