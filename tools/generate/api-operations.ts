/** As much of an operation of the OpenAPI document as a collection shows. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
  readonly bodySchema: unknown;
  readonly secured: boolean;
  readonly scopes: readonly string[];
}

export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: unknown;
}

/** An object of the document, of which only what is read here is typed. */
interface DocumentedOperation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly (Parameter & { readonly $ref?: string })[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: unknown }>> };
  readonly security?: readonly unknown[];
  readonly 'x-required-scopes'?: readonly string[];
}
type Paths = Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/** Every operation of the document, in its order. */
export const operationsOf = (document: Readonly<Record<string, unknown>>): readonly Operation[] =>
  Object.entries(document['paths'] as Paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => METHODS.includes(method))
      .map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        tag: operation.tags?.[0] ?? '',
        summary: operation.summary ?? operation.operationId ?? path,
        description: operation.description ?? '',
        parameters: (operation.parameters ?? []).filter(({ $ref }) => $ref === undefined),
        bodySchema: operation.requestBody?.content?.['application/json']?.schema,
        secured: (operation.security ?? []).length > 0,
        scopes: operation['x-required-scopes'] ?? [],
      })),
  );
