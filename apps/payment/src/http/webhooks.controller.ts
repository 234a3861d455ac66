import { Body, Controller, Headers, HttpCode, Param, Post } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { KeepsBytes, Problem, Public } from '@payflow/service';

import { ReceiveWebhook } from '../application/receive-webhook.js';

type RequestHeaders = Readonly<Record<string, string | undefined>>;

/** What a provider reads of the answer is its status: 2xx ends the deliveries. */
const RECEIVED = { received: true } as const;

/** Where payment providers send their news. The signature is the authentication. */
@ApiExcludeController()
@Controller()
export class WebhooksController {
  constructor(private readonly webhooks: ReceiveWebhook) {}

  @Post('webhooks/psp/:provider')
  @Public()
  @KeepsBytes()
  @HttpCode(200)
  async receivePspWebhook(
    @Param('provider') provider: string,
    @Headers() headers: RequestHeaders,
    @Body() body: unknown,
  ): Promise<typeof RECEIVED> {
    await this.webhooks.from(provider, { headers, body: bytesOf(body) });
    return RECEIVED;
  }

  @Post('webhook')
  @Public()
  @KeepsBytes()
  @HttpCode(200)
  async receiveWebhook(@Headers() headers: RequestHeaders, @Body() body: unknown): Promise<typeof RECEIVED> {
    await this.webhooks.fromAnyone({ headers, body: bytesOf(body) });
    return RECEIVED;
  }
}

const bytesOf = (body: unknown): Buffer => {
  if (Buffer.isBuffer(body)) return body;
  throw new Problem('validation_failed', {
    errors: [{ pointer: '', code: 'required', message: 'the body is missing' }],
  });
};
