import { Body, Controller, Get, Put, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type MerchantMessagePreferences,
  merchantMessagePreferencesSchema,
  type MessagePreferences,
  messagePreferencesSchema,
  type Principal,
  type SetMerchantMessagePreferences,
  setMerchantMessagePreferencesSchema,
  type SetMessagePreferences,
  setMessagePreferencesSchema,
} from '@payflow/contracts';
import { Access, Answers, Caller, entityTag, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';

import { MessagePreferencesOf } from '../application/message-preferences.js';

@ApiTags('Notifications')
@Controller('notifications')
export class PreferencesController {
  constructor(private readonly preferences: MessagePreferencesOf) {}

  @Get('preferences')
  @Access('account:write')
  @ApiOperation({ summary: 'How you are told what happens to your payments and your wallet' })
  @Answers(200, messagePreferencesSchema, 'Channels by kind of message.')
  async readMessagePreferences(
    @Caller() caller: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MessagePreferences> {
    const { view, version } = await this.preferences.person(caller);
    void reply.header('etag', entityTag(version));
    return view;
  }

  @Put('preferences')
  @Access('account:write')
  @ApiOperation({
    summary: 'Choose how you are told',
    description: 'All of it: a kind of message that is left out has its default again. Codes always come.',
  })
  @Answers(200, messagePreferencesSchema, 'As they are now.')
  async setMessagePreferences(
    @Caller() principal: Principal,
    @Body({ schema: setMessagePreferencesSchema }) body: SetMessagePreferences,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.preferences.setPerson({ principal, meta, body }));
  }

  @Get('merchant-preferences')
  @Access('webhooks:read')
  @ApiOperation({ summary: 'Where and how your merchant is told of payouts and disputes' })
  @Answers(200, merchantMessagePreferencesSchema, 'The contact, and channels by kind of message.')
  async readMerchantMessagePreferences(
    @Caller() caller: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MerchantMessagePreferences> {
    const { view, version } = await this.preferences.merchant(caller);
    void reply.header('etag', entityTag(version));
    return view;
  }

  @Put('merchant-preferences')
  @Access('webhooks:write')
  @ApiOperation({
    summary: 'Choose where and how your merchant is told',
    description: 'All of it. Until a contact is set, nothing goes to anybody.',
  })
  @Answers(200, merchantMessagePreferencesSchema, 'As they are now.')
  async setMerchantMessagePreferences(
    @Caller() principal: Principal,
    @Body({ schema: setMerchantMessagePreferencesSchema }) body: SetMerchantMessagePreferences,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.preferences.setMerchant({ principal, meta, body }));
  }
}
