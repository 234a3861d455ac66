import { segmentsOf } from '../routing/request-path.js';
import { matchRoute, type Upstream } from '../routing/route-table.js';

/** As much of OpenAPI 3.1 as merging needs. */
export interface OpenApiDocument {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly tags?: readonly { readonly name: string }[];
}

/** The gateway has routes of its own beside those it passes on. */
type Describing = Upstream | 'gateway';

export interface ServiceDocument {
  readonly service: Describing;
  /** Undefined while the service cannot be asked. */
  readonly document: OpenApiDocument | undefined;
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

/** A deep copy with each `$ref` rewritten. */
const withReferences = (value: unknown, rewrite: (reference: string) => string): unknown => {
  if (Array.isArray(value)) return value.map((item) => withReferences(item, rewrite));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      key === '$ref' && typeof member === 'string' ? rewrite(member) : withReferences(member, rewrite),
    ]),
  );
};

/** How a path of a service is called from outside, or undefined when it is not reachable there. */
const publicPath = (service: Describing, path: string): string | undefined => {
  if (service === 'gateway') return path;
  const outside = path.replace(/^\/operations\//, `/operations/${service}/`);
  const segments = segmentsOf(outside.replaceAll(/\{\w+\}/g, 'x'));
  return segments && matchRoute('GET', segments)?.upstream === service ? outside : undefined;
};

const COMPONENT = /^#\/components\/([^/]+)\/(.+)$/;

interface Merged {
  readonly paths: Record<string, unknown>;
  readonly components: Record<string, Record<string, unknown>>;
  readonly operationIds: Set<string>;
}

/** Equal components are one; one that differs from another service's of the same name gets the service's name in front. */
const mergeComponents = (merged: Merged, service: Describing, document: OpenApiDocument): ((ref: string) => string) => {
  const renamed = new Map<string, string>();
  const rewrite = (reference: string): string => renamed.get(reference) ?? reference;
  const all = Object.entries(document.components ?? {}).flatMap(([section, members]) =>
    Object.entries(members).map(([name, value]) => ({ section, name, value })),
  );
  for (const { section, name, value } of all) {
    const existing = merged.components[section]?.[name];
    if (existing !== undefined && JSON.stringify(existing) !== JSON.stringify(value))
      renamed.set(`#/components/${section}/${name}`, `#/components/${section}/${service}.${name}`);
  }
  for (const { section, name, value } of all) {
    const target = COMPONENT.exec(rewrite(`#/components/${section}/${name}`))?.[2] ?? name;
    (merged.components[section] ??= {})[target] = withReferences(value, rewrite);
  }
  return rewrite;
};

const mergePaths = (merged: Merged, { service, document }: ServiceDocument, rewrite: (ref: string) => string): void => {
  for (const [path, item] of Object.entries(document?.paths ?? {})) {
    const outside = publicPath(service, path);
    if (outside === undefined) continue;
    const operations = Object.entries(item).map(([method, operation]) => {
      const copy = withReferences(operation, rewrite);
      return [method, METHODS.includes(method) ? withUniqueId(merged.operationIds, { service, outside }, copy) : copy];
    });
    merged.paths[outside] = {
      ...(merged.paths[outside] as object | undefined),
      ...(Object.fromEntries(operations) as object),
    };
  }
};

/**
 * Operation ids become method names of clients, so there is one of each, and it does not depend on who answered. The routes
 * under /operations are the same at every service and say whose they are.
 */
const withUniqueId = (
  taken: Set<string>,
  part: { service: Describing; outside: string },
  operation: unknown,
): unknown => {
  if (typeof operation !== 'object' || operation === null) return operation;
  const { service, outside } = part;
  const { operationId } = operation as { readonly operationId?: unknown };
  const isOperations = outside.startsWith('/operations/');
  const tags = [isOperations || service === 'gateway' ? 'operations' : service];
  if (typeof operationId !== 'string') return { ...operation, tags };
  const owner = service.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const own = operationId.charAt(0).toUpperCase() + operationId.slice(1);
  const names = isOperations && service !== 'gateway' ? [`${owner}DeadLetters${own}`] : [operationId, `${owner}${own}`];
  // Two of one name in one service: a number keeps the document usable.
  const unique = names.find((name) => !taken.has(name)) ?? `${owner}${own}${taken.size}`;
  taken.add(unique);
  return { ...operation, operationId: unique, tags };
};

/** In the order in which a newcomer needs them. */
const TAGS: Readonly<Record<Upstream | 'operations', string>> = {
  payment: 'Payments and refunds.',
  tokenization: 'Cards as tokens.',
  auth: 'Identity: tokens, logins, merchants and their clients, keys.',
  ledger: 'The double-entry journal and its balances.',
  wallet: "People's money: wallets, transfers, holds and their history.",
  fraud: 'Fraud rules, lists and the review queue.',
  notification: 'Webhook endpoints, the feed of events, preferences.',
  settlement: 'Merchant balances, settlements, payouts, reconciliation.',
  'acquirer-sim': 'Cards to test with.',
  operations: 'What operators look at: dead letters (messages that a service could not apply), and what is stuck.',
};

/**
 * One document of what is reachable through the gateway. A service that cannot be asked is missing, and the document says
 * so in `x-unavailable-services`.
 */
export const mergeOpenApi = (
  services: readonly ServiceDocument[],
  gatewayUrl: string,
): Readonly<Record<string, unknown>> => {
  const merged: Merged = { paths: {}, components: {}, operationIds: new Set() };
  for (const part of services) {
    if (!part.document) continue;
    mergePaths(merged, part, mergeComponents(merged, part.service, part.document));
  }
  const unavailable = services.filter((part) => !part.document).map((part) => part.service);
  return {
    openapi: '3.1.0',
    info: {
      title: 'PayFlow',
      version: '1.0',
      description:
        'Card payments, wallets, a double-entry ledger and a vault. Amounts are integers of minor units. Send an `Idempotency-Key` ' +
        'with each request that changes something; repeating it repeats the answer and not the effect.',
      license: { name: 'MIT', url: 'https://spdx.org/licenses/MIT.html' },
    },
    servers: [{ url: gatewayUrl }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths: merged.paths,
    components: merged.components,
    ...(unavailable.length === 0 ? {} : { 'x-unavailable-services': unavailable }),
  };
};
