import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  createdWebhookEndpointSchema,
  type CreateWebhookEndpointRequest,
  createWebhookEndpointSchema,
  type ListWebhookEndpointsQuery,
  listWebhookEndpointsQuerySchema,
  type Principal,
  rotatedWebhookSecretSchema,
  type RotateWebhookSecretRequest,
  rotateWebhookSecretSchema,
  type UpdateWebhookEndpointRequest,
  updateWebhookEndpointSchema,
  webhookEndpointPageSchema,
  webhookEndpointSchema,
  type WebhookEndpointView,
  type WebhookStatistics,
  webhookStatisticsSchema,
} from '@payflow/contracts';
import { Access, Answers, Caller, entityTag, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { ChangeEndpoints } from '../application/change-endpoints.js';
import { ReadEndpoints } from '../application/read-endpoints.js';
import { endpointIdOf } from './webhook-path-ids.js';

/** Where a merchant wants to be told of what happens. */
@ApiTags('Webhooks')
@Controller('webhook-endpoints')
export class WebhookEndpointsController {
  constructor(
    private readonly changes: ChangeEndpoints,
    private readonly endpoints: ReadEndpoints,
  ) {}

  @Post()
  @Access('webhooks:write')
  @ApiOperation({ summary: 'Create a webhook endpoint' })
  @Answers(201, createdWebhookEndpointSchema, 'The endpoint with its secret, which is shown this once.')
  async createWebhookEndpoint(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: createWebhookEndpointSchema }) body: CreateWebhookEndpointRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.changes.create(principal, meta, body));
  }

  @Get()
  @Access('webhooks:read')
  @ApiOperation({ summary: 'List webhook endpoints, newest first' })
  @Answers(200, webhookEndpointPageSchema, 'A page of endpoints.')
  async listWebhookEndpoints(
    @Caller() principal: Principal,
    @Query({ schema: listWebhookEndpointsQuerySchema }) query: ListWebhookEndpointsQuery,
  ): Promise<z.infer<typeof webhookEndpointPageSchema>> {
    return await this.endpoints.page(principal, query);
  }

  @Get(':endpointId')
  @Access('webhooks:read')
  @ApiOperation({ summary: 'Read a webhook endpoint' })
  @Answers(200, webhookEndpointSchema, 'The endpoint.')
  async getWebhookEndpoint(
    @Caller() principal: Principal,
    @Param('endpointId') endpointId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WebhookEndpointView> {
    const { view, version } = await this.endpoints.one(principal, endpointIdOf(endpointId));
    void reply.header('etag', entityTag(version));
    return view;
  }

  @Patch(':endpointId')
  @Access('webhooks:write')
  @ApiOperation({ summary: 'Change a webhook endpoint: its address, its events, enable or disable it' })
  @Answers(200, webhookEndpointSchema, 'The endpoint.')
  async updateWebhookEndpoint(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('endpointId') endpointId: string,
    @Body({ schema: updateWebhookEndpointSchema }) body: UpdateWebhookEndpointRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.changes.update(principal, meta, endpointIdOf(endpointId), body));
  }

  @Delete(':endpointId')
  @HttpCode(204)
  @Access('webhooks:write')
  @ApiOperation({ summary: 'Delete a webhook endpoint: nothing is owed to it any more' })
  async deleteWebhookEndpoint(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('endpointId') endpointId: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.changes.delete(principal, meta, endpointIdOf(endpointId)));
  }

  @Post(':endpointId/rotate-secret')
  @HttpCode(200)
  @Access('webhooks:write')
  @ApiOperation({ summary: 'Get a new secret; for a while deliveries are signed with the former ones too' })
  @Answers(200, rotatedWebhookSecretSchema, 'The new secret, which is shown this once.')
  async rotateWebhookSecret(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('endpointId') endpointId: string,
    @Body({ schema: rotateWebhookSecretSchema }) body: RotateWebhookSecretRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.changes.rotateSecret(principal, meta, endpointIdOf(endpointId), body));
  }

  @Get(':endpointId/statistics')
  @Access('webhooks:read')
  @ApiOperation({ summary: 'How a webhook endpoint does' })
  @Answers(200, webhookStatisticsSchema, 'What it is owed, and how its tries of the last day went.')
  async getWebhookStatistics(
    @Caller() principal: Principal,
    @Param('endpointId') endpointId: string,
  ): Promise<WebhookStatistics> {
    return await this.endpoints.statistics(principal, endpointIdOf(endpointId));
  }
}
