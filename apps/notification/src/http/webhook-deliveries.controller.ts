import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type ListWebhookDeliveriesQuery,
  listWebhookDeliveriesQuerySchema,
  type Principal,
  recoveredWebhooksSchema,
  type RecoverWebhooksRequest,
  recoverWebhooksSchema,
  webhookDeliveryPageSchema,
  webhookDeliverySchema,
  type WebhookDeliveryView,
} from '@payflow/contracts';
import { Access, Answers, Caller, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { OweWebhooks } from '../application/owe-webhooks.js';
import { ReadEndpoints } from '../application/read-endpoints.js';
import { deliveryIdOf, endpointIdOf } from './webhook-path-ids.js';

/** What was sent to an endpoint, and what is to be sent to it again. */
@ApiTags('Webhooks')
@Controller('webhook-endpoints/:endpointId')
export class WebhookDeliveriesController {
  constructor(
    private readonly endpoints: ReadEndpoints,
    private readonly owed: OweWebhooks,
  ) {}

  @Get('deliveries')
  @Access('webhooks:read')
  @ApiOperation({ summary: 'The log of an endpoint: each delivery with its tries, newest first' })
  @Answers(200, webhookDeliveryPageSchema, 'A page of deliveries.')
  async listWebhookDeliveries(
    @Caller() principal: Principal,
    @Param('endpointId') endpointId: string,
    @Query({ schema: listWebhookDeliveriesQuerySchema }) query: ListWebhookDeliveriesQuery,
  ): Promise<z.infer<typeof webhookDeliveryPageSchema>> {
    return await this.endpoints.log(principal, endpointIdOf(endpointId), query);
  }

  @Get('deliveries/:deliveryId')
  @Access('webhooks:read')
  @ApiOperation({ summary: 'Read a delivery' })
  @Answers(200, webhookDeliverySchema, 'The delivery with its tries.')
  async getWebhookDelivery(
    @Caller() principal: Principal,
    @Param('endpointId') endpointId: string,
    @Param('deliveryId') deliveryId: string,
  ): Promise<WebhookDeliveryView> {
    return await this.endpoints.delivery(principal, endpointIdOf(endpointId), deliveryIdOf(deliveryId));
  }

  @Post('deliveries/:deliveryId/redeliver')
  @HttpCode(202)
  @Access('webhooks:write')
  @ApiOperation({ summary: 'Send one once more, under the same webhook-id, whatever became of it' })
  @Answers(202, webhookDeliverySchema, 'The delivery, owed again.')
  async redeliverWebhook(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('endpointId') endpointId: string,
    @Param('deliveryId') deliveryId: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const answer = await this.owed.redeliver(principal, meta, endpointIdOf(endpointId), deliveryIdOf(deliveryId));
    await sendAnswer(reply, answer);
  }

  @Post('recover')
  @HttpCode(202)
  @Access('webhooks:write')
  @ApiOperation({ summary: 'Send what an endpoint has missed since a time: never sent, or given up' })
  @Answers(202, recoveredWebhooksSchema, 'How many events are owed again.')
  async recoverWebhooks(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('endpointId') endpointId: string,
    @Body({ schema: recoverWebhooksSchema }) body: RecoverWebhooksRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.owed.recover(principal, meta, endpointIdOf(endpointId), body));
  }

  @Post('test')
  @HttpCode(202)
  @Access('webhooks:write')
  @ApiOperation({ summary: 'Send a test event, `webhook.test`, to an endpoint' })
  @Answers(202, webhookDeliverySchema, 'The delivery of the test event: read it to see how it went.')
  async testWebhookEndpoint(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('endpointId') endpointId: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.owed.test(principal, meta, endpointIdOf(endpointId)));
  }
}
