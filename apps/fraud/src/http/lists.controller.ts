import { Body, Controller, Delete, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type AddFraudListEntryRequest,
  addFraudListEntrySchema,
  fraudListEntryPageSchema,
  fraudListEntrySchema,
  type FraudListEntryView,
  type ListFraudListEntriesQuery,
  listFraudListEntriesQuerySchema,
  type Principal,
} from '@payflow/contracts';
import { Access, Answers, Caller, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';

import { Lists } from '../application/lists.js';
import type { Page } from '../application/page.js';
import { entryIdOf, listNameOf } from './path-ids.js';

@ApiTags('Fraud')
@Controller('fraud/lists/:listName/entries')
export class ListsController {
  constructor(private readonly lists: Lists) {}

  @Get()
  @Access('fraud:read')
  @ApiOperation({ summary: 'What is in a list, newest first; `block_` or `allow_` and a kind name it' })
  @Answers(200, fraudListEntryPageSchema, 'Without what was removed')
  async listFraudListEntries(
    @Param('listName') name: string,
    @Query({ schema: listFraudListEntriesQuerySchema }) query: ListFraudListEntriesQuery,
  ): Promise<Page<FraudListEntryView>> {
    return await this.lists.page(listNameOf(name), query);
  }

  @Post()
  @Access('fraud:write')
  @ApiOperation({ summary: 'Put a value into a list; it holds from the next payment on' })
  @Answers(201, fraudListEntrySchema, 'The entry')
  @Answers(200, fraudListEntrySchema, 'It was there already')
  async addFraudListEntry(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('listName') name: string,
    @Body({ schema: addFraudListEntrySchema }) body: AddFraudListEntryRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.lists.add(listNameOf(name), { principal, meta, body }));
  }

  @Delete(':entryId')
  @Access('fraud:write')
  @ApiOperation({ summary: 'Take a value out of a list' })
  @ApiNoContentResponse({ description: 'It is in the list no more' })
  async removeFraudListEntry(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('listName') name: string,
    @Param('entryId') entryId: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.lists.remove(listNameOf(name), entryIdOf(entryId), { principal, meta }));
  }
}
