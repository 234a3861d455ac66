import { createHash } from 'node:crypto';

import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { asyncApiDocument } from '@payflow/contracts';
import { InjectConfig, Problem, Public } from '@payflow/service';
import type { FastifyReply, FastifyRequest } from 'fastify';

import {
  indexPage,
  isProblemCode,
  problemPage,
  problemsPage,
  REFERENCE_START,
  referencePage,
  STYLE,
} from '../docs/pages.js';
import { referenceBundle } from '../docs/reference-bundle.js';
import type { GatewayConfig } from '../gateway.config.js';
import { ApiDescription } from '../openapi/api-description.js';

const HTML = 'text/html; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';
const PAGE_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** The reference puts its styles into the page and calls this API from it; nothing else is asked. */
const REFERENCE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; " +
  "connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const BRIEFLY = 'public, max-age=30';
const AN_HOUR = 'public, max-age=3600';

/** Of this version's contracts: the same as docs/asyncapi.json. */
const EVENTS = Buffer.from(`${JSON.stringify(asyncApiDocument(), null, 2)}\n`);

const LINKS = {
  'API reference': '/docs',
  'OpenAPI description': '/openapi.json',
  'Events (AsyncAPI)': '/asyncapi.json',
  Problems: '/docs/problems',
  'Test cards': '/test-cards',
  'Test bank accounts': '/test-bank-accounts',
  Health: '/health/ready',
} as const;

/** What the gateway says about the API: its description, a page to read and try it, and a page for each problem. */
@Public()
@ApiExcludeController()
@Controller()
export class DocsController {
  constructor(
    private readonly description: ApiDescription,
    @InjectConfig() private readonly config: GatewayConfig,
  ) {}

  @Get('/')
  async index(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    reply.headers({ vary: 'accept', 'cache-control': AN_HOUR });
    if (request.headers.accept?.includes('text/html') === true) {
      await this.sendPage(reply, indexPage(LINKS));
      return;
    }
    const links = Object.fromEntries(
      Object.entries(LINKS).map(([name, path]) => [name, `${this.config.GATEWAY_URL}${path}`]),
    );
    await reply.send({ name: 'PayFlow', links });
  }

  @Get('/openapi.json')
  async openapi(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { text, entityTag } = await this.description.current();
    await sendCacheable(request, reply, {
      body: text,
      type: 'application/json; charset=utf-8',
      entityTag,
      age: BRIEFLY,
    });
  }

  @Get('/asyncapi.json')
  async asyncapi(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await sendCacheable(request, reply, {
      body: EVENTS,
      type: 'application/json; charset=utf-8',
      entityTag: entityTagOf(EVENTS),
      age: AN_HOUR,
    });
  }

  @Get('/docs')
  async reference(@Res() reply: FastifyReply): Promise<void> {
    await reply
      .headers({ 'content-type': HTML, 'content-security-policy': REFERENCE_POLICY, 'cache-control': AN_HOUR })
      .send(referencePage('/docs/reference.js'));
  }

  @Get('/docs/reference.js')
  async referenceScript(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { plain, compressed } = await referenceBundle();
    const gzip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    reply.header('vary', 'accept-encoding');
    if (gzip) reply.header('content-encoding', 'gzip');
    await sendCacheable(request, reply, {
      body: gzip ? compressed : plain,
      type: SCRIPT,
      entityTag: entityTagOf(gzip ? compressed : plain),
      age: AN_HOUR,
    });
  }

  @Get('/docs/reference-start.js')
  async referenceStart(@Res() reply: FastifyReply): Promise<void> {
    await reply.headers({ 'content-type': SCRIPT, 'cache-control': AN_HOUR }).send(REFERENCE_START);
  }

  @Get('/docs/style.css')
  async style(@Res() reply: FastifyReply): Promise<void> {
    await reply.headers({ 'content-type': 'text/css; charset=utf-8', 'cache-control': AN_HOUR }).send(STYLE);
  }

  @Get('/docs/problems')
  async problems(@Res() reply: FastifyReply): Promise<void> {
    reply.header('cache-control', AN_HOUR);
    await this.sendPage(reply, problemsPage());
  }

  @Get('/docs/problems/:code')
  async problem(@Param('code') code: string, @Res() reply: FastifyReply): Promise<void> {
    if (!isProblemCode(code))
      throw new Problem('resource_not_found', { detail: 'There is no problem with this code.' });
    reply.header('cache-control', AN_HOUR);
    await this.sendPage(reply, problemPage(code, this.config.GATEWAY_URL));
  }

  private async sendPage(reply: FastifyReply, html: string): Promise<void> {
    await reply.headers({ 'content-type': HTML, 'content-security-policy': PAGE_POLICY }).send(html);
  }
}

const entityTagOf = (body: Buffer): string => {
  const known = entityTags.get(body);
  if (known !== undefined) return known;
  const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  entityTags.set(body, tag);
  return tag;
};
const entityTags = new WeakMap<Buffer, string>();

/** 304 when the client has it already (RFC 9110 §13.1.2). */
const sendCacheable = async (
  request: FastifyRequest,
  reply: FastifyReply,
  answer: { readonly body: string | Buffer; readonly type: string; readonly entityTag: string; readonly age: string },
): Promise<void> => {
  reply.headers({ etag: answer.entityTag, 'cache-control': answer.age });
  const known = (request.headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known.includes(answer.entityTag) || known.includes('*')) {
    await reply.removeHeader('content-encoding').code(304).send();
    return;
  }
  await reply.header('content-type', answer.type).send(answer.body);
};
