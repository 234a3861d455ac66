import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type DecideFraudReviewRequest,
  decideFraudReviewSchema,
  fraudReviewPageSchema,
  fraudReviewSchema,
  type FraudReviewView,
  type ListFraudReviewsQuery,
  listFraudReviewsQuerySchema,
  type Principal,
} from '@payflow/contracts';
import { Access, Answers, Caller, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';

import type { Page } from '../application/page.js';
import { Reviews } from '../application/reviews.js';
import { reviewIdOf } from './path-ids.js';

@ApiTags('Fraud')
@Controller('fraud/reviews')
export class ReviewsController {
  constructor(private readonly reviews: Reviews) {}

  @Get()
  @Access('fraud:read')
  @ApiOperation({ summary: 'Payments that wait for people, and those that did; `status=PENDING` is the work list' })
  @Answers(200, fraudReviewPageSchema, 'Newest first')
  async listFraudReviews(
    @Query({ schema: listFraudReviewsQuerySchema }) query: ListFraudReviewsQuery,
  ): Promise<Page<FraudReviewView>> {
    return await this.reviews.page(query);
  }

  @Get(':reviewId')
  @Access('fraud:read')
  @ApiOperation({ summary: 'Read a review' })
  @Answers(200, fraudReviewSchema, 'With why the rules doubted')
  async getFraudReview(@Param('reviewId') reviewId: string): Promise<FraudReviewView> {
    return await this.reviews.one(reviewIdOf(reviewId));
  }

  @Post(':reviewId/approve')
  @HttpCode(200)
  @Access('fraud:write')
  @ApiOperation({ summary: 'Let the payment go on to its acquirer' })
  @Answers(200, fraudReviewSchema, 'APPROVED; the payment follows by event')
  async approveFraudReview(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('reviewId') reviewId: string,
    @Body({ schema: decideFraudReviewSchema }) body: DecideFraudReviewRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.reviews.decide(reviewIdOf(reviewId), 'APPROVED', { principal, meta, body }));
  }

  @Post(':reviewId/reject')
  @HttpCode(200)
  @Access('fraud:write')
  @ApiOperation({ summary: 'Stop the payment: no acquirer is asked' })
  @Answers(200, fraudReviewSchema, 'REJECTED; the payment fails by event')
  async rejectFraudReview(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('reviewId') reviewId: string,
    @Body({ schema: decideFraudReviewSchema }) body: DecideFraudReviewRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.reviews.decide(reviewIdOf(reviewId), 'REJECTED', { principal, meta, body }));
  }
}
