import { createHash } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { InjectConfig, Logger, OpenApi } from '@payflow/service';

import { type GatewayConfig, upstreamUrls } from '../gateway.config.js';
import { type Upstream, UPSTREAMS } from '../routing/route-table.js';
import { withInlineCard } from './inline-card.js';
import { mergeOpenApi, type OpenApiDocument, type ServiceDocument } from './merge.js';

const FETCH_TIMEOUT_MS = 3_000;
const FRESH_MS = 30_000;
/** While a service is missing, it is asked for again soon: it may just be starting. */
const FRESH_WHILE_INCOMPLETE_MS = 1_000;

export interface Description {
  readonly text: string;
  readonly entityTag: string;
}

/** The API as one OpenAPI document, put together from what each service says of itself. */
@Injectable()
export class ApiDescription {
  /** What each service said last. It stays true while the service restarts. */
  private readonly documents = new Map<Upstream, OpenApiDocument>();
  private cached: { readonly description: Description; readonly until: number } | undefined;
  private fetching: Promise<Description> | undefined;

  constructor(
    private readonly logger: Logger,
    private readonly own: OpenApi,
    @InjectConfig() private readonly config: GatewayConfig,
  ) {}

  async current(): Promise<Description> {
    if (this.cached && this.cached.until > performance.now()) return this.cached.description;
    this.fetching ??= this.collect().finally(() => {
      this.fetching = undefined;
    });
    return await this.fetching;
  }

  private async collect(): Promise<Description> {
    const urls = upstreamUrls(this.config);
    const services = await Promise.all(
      UPSTREAMS.map(async (service): Promise<ServiceDocument> => {
        const document = (await this.fetchDocument(service, urls[service])) ?? this.documents.get(service);
        if (document) this.documents.set(service, document);
        return { service, document };
      }),
    );
    const own: ServiceDocument = { service: 'gateway', document: this.own.document };
    const text = JSON.stringify(withInlineCard(mergeOpenApi([...services, own], this.config.GATEWAY_URL)));
    const entityTag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
    const complete = services.every((part) => part.document);
    this.cached = {
      description: { text, entityTag },
      until: performance.now() + (complete ? FRESH_MS : FRESH_WHILE_INCOMPLETE_MS),
    };
    return this.cached.description;
  }

  private async fetchDocument(service: Upstream, url: string): Promise<OpenApiDocument | undefined> {
    try {
      const response = await fetch(`${url}/openapi.json`, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
      if (!response.ok) throw new Error(`status ${response.status}`);
      return (await response.json()) as OpenApiDocument;
    } catch (error) {
      // The rest of the description is of use without it, and the document names what is missing.
      this.logger.warn({ err: error, upstream: service }, 'a service does not describe itself');
      return undefined;
    }
  }
}
