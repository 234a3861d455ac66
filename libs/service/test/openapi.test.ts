import { createTestDatabase, type TestDatabase } from '@payflow/testing';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';

import { createServiceApp } from '../src/index.js';
import { CreateNotes1760000000000, NotesModule } from './notes-service.js';

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly Record<string, unknown>[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: unknown }> };
  readonly responses: Record<string, unknown>;
  readonly security: readonly unknown[];
  readonly 'x-required-scopes'?: readonly string[];
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, object>; readonly securitySchemes: object };
}

let testDatabase: TestDatabase;
let app: NestFastifyApplication;
let document: Document;

beforeAll(async () => {
  testDatabase = await createTestDatabase({ service: 'service-tests', migrations: [CreateNotes1760000000000] });
  app = await createServiceApp({
    name: 'payment',
    module: NotesModule,
    environment: {
      LOG_LEVEL: 'silent',
      SERVICE_CLIENT_SECRET: 'secret-of-the-service',
      DATABASE_URL: testDatabase.runtimeUrl,
    },
  });
  document = (await app.inject({ url: '/openapi.json' })).json<Document>();
});
afterAll(async () => {
  await app.close();
  await testDatabase.drop();
});

const everywhere = function* (value: unknown): Generator<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Record<string, unknown>;
  for (const member of Object.values(value)) yield* everywhere(member);
};

const resolve = (reference: string): unknown =>
  reference
    .replace(/^#\//, '')
    .split('/')
    .reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], document);

describe('the OpenAPI document', () => {
  it('is version 3.1 and describes the public routes only', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths).sort()).toEqual([
      '/broken',
      '/greet',
      '/login',
      '/notes',
      '/notes/{noteId}',
      '/notes/{noteId}/pages/{page}',
      '/optional',
      '/search',
      '/settings',
      '/slow',
    ]);
  });

  it('has no reference into the void', () => {
    const references = [...everywhere(document)].flatMap(({ $ref }) => (typeof $ref === 'string' ? [$ref] : []));
    expect(references.length).toBeGreaterThan(5);
    for (const reference of references) expect([reference, typeof resolve(reference)]).toEqual([reference, 'object']);
  });

  it('names operations like their handlers, each once', () => {
    const ids = Object.values(document.paths).flatMap((item) =>
      Object.values(item).map(({ operationId }) => operationId),
    );
    expect(ids).toContain('createNote');
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('tells who may call and which scopes he needs', () => {
    expect(document.components.securitySchemes).toHaveProperty('accessToken.scheme', 'bearer');
    const { get, post } = document.paths['/notes'] ?? {};
    expect([post?.security, post?.['x-required-scopes']]).toEqual([[{ accessToken: [] }], ['payments:write']]);
    expect(get?.['x-required-scopes']).toEqual(['payments:read']);
    expect(document.paths['/login']?.['post']).toMatchObject({ security: [] });
  });

  it('describes requests and answers with named schemas', () => {
    const post = document.paths['/notes']?.['post'];
    expect(post?.requestBody?.content['application/json']?.schema).toEqual({ $ref: '#/components/schemas/CreateNote' });
    expect(post?.responses['201']).toMatchObject({
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Note' } } },
    });
    expect(document.components.schemas['CreateNote']).toMatchObject({
      properties: { text: { $ref: '#/components/schemas/NoteText' } },
      required: ['text'],
    });
  });

  it('describes each query parameter and path parameter', () => {
    const parametersOf = (path: string, method: string): unknown[] =>
      (document.paths[path]?.[method]?.parameters ?? []).map(({ name, in: place, required }) => [
        name,
        place,
        required,
      ]);
    expect(parametersOf('/notes', 'get')).toEqual([['limit', 'query', false]]);
    expect(parametersOf('/notes/{noteId}', 'get')).toEqual([['noteId', 'path', true]]);
    expect(parametersOf('/notes/{noteId}/pages/{page}', 'get')).toEqual([
      ['noteId', 'path', true],
      ['page', 'path', true],
    ]);
  });

  it('gives a schema a second name where a request differs from an answer', () => {
    const { schemas } = document.components;
    expect(schemas['Theme']).not.toHaveProperty('required');
    expect(schemas['ThemeResponse']).toMatchObject({ required: ['color'] });
    expect(schemas['SettingsResponse']).toHaveProperty('properties.theme.$ref', '#/components/schemas/ThemeResponse');
    const post = document.paths['/settings']?.['post'];
    expect(post?.requestBody?.content['application/json']?.schema).toEqual({
      $ref: '#/components/schemas/Settings',
    });
    expect(post?.responses['201']).toMatchObject({
      content: { 'application/json': { schema: { $ref: '#/components/schemas/SettingsResponse' } } },
    });
  });

  it('keeps the schemas of internal routes to itself', () => {
    expect(document.components.schemas).not.toHaveProperty('SecretPlan');
  });

  it('offers forms where they are read, and the idempotency key where something changes', () => {
    expect(Object.keys(document.paths['/login']?.['post']?.requestBody?.content ?? {})).toEqual([
      'application/json',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
    ]);
    expect(document.paths['/notes']?.['post']?.parameters).toEqual([
      { $ref: '#/components/parameters/IdempotencyKey' },
    ]);
  });

  it('describes the refusals of each operation', () => {
    for (const item of Object.values(document.paths)) {
      for (const { responses } of Object.values(item)) {
        expect(responses['400']).toEqual({ $ref: '#/components/responses/Problem' });
        expect(responses['default']).toEqual({ $ref: '#/components/responses/Problem' });
      }
    }
    expect(document.paths['/notes']?.['post']?.responses).toHaveProperty('401');
    expect(document.paths['/login']?.['post']?.responses).not.toHaveProperty('401');
  });

  it('holds schemas of JSON Schema 2020-12 that compile', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema(document, 'document');
    for (const name of Object.keys(document.components.schemas)) {
      expect(ajv.compile({ $ref: `document#/components/schemas/${name}` })).toBeInstanceOf(Function);
    }
    const validate = ajv.compile({ $ref: 'document#/components/schemas/CreateNote' });
    expect([validate({ text: 'a' }), validate({ text: '' }), validate({ text: 'a', x: 1 })]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
