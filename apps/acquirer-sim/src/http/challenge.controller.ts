import { Body, Controller, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { AcceptsForm, Public } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';

import { AnswerChallenge, type ChallengeState } from '../application/answer-challenge.js';
import { acquirerNamed } from './acquirer-parameter.js';
import { choicePage, donePage } from './challenge-page.js';

const tokenSchema = z.string().regex(/^[\w-]{32}$/);
const choiceSchema = z.strictObject({ choice: z.enum(['complete', 'fail']) });

/** The pages that a payer sees: a 3-D Secure challenge, or his bank's. The token in the address is what lets him in. */
@ApiTags('Payer')
@Controller('acquirers/:acquirer/challenges')
export class ChallengeController {
  constructor(private readonly answerChallenge: AnswerChallenge) {}

  @Get(':token')
  @Public()
  @ApiOperation({ summary: 'The page of a challenge, or of the bank' })
  async challengePage(
    @Param('acquirer') name: string,
    @Param('token', { schema: tokenSchema }) token: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const state = await this.answerChallenge.show(acquirerNamed(name), token);
    const back = returnAddress(state);
    await sendPage(reply, isOpen(state) ? choicePage(state) : donePage(state, back), back);
  }

  @Post(':token')
  @Public()
  @HttpCode(303)
  @AcceptsForm()
  @ApiOperation({ summary: "The payer's choice" })
  async chooseOnPage(
    @Param('acquirer') name: string,
    @Param('token', { schema: tokenSchema }) token: string,
    @Body({ schema: choiceSchema }) { choice }: z.infer<typeof choiceSchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const state = await this.answerChallenge.choose(acquirerNamed(name), token, choice);
    const back = returnAddress(state);
    if (back === undefined) await sendPage(reply.code(200), donePage(state, undefined), undefined);
    else await reply.code(303).header('location', back).send();
  }
}

const isOpen = ({ challenge, operation }: ChallengeState): boolean =>
  operation.outcome === 'action_required' && new Date() < challenge.expiresAt;

/** Where the payer came from, with the payment that he is told about there. */
const returnAddress = ({ challenge, operation }: ChallengeState): string | undefined => {
  if (challenge.returnUrl === null) return undefined;
  const url = new URL(challenge.returnUrl);
  url.searchParams.set('paymentId', operation.paymentId);
  return url.toString();
};

const sendPage = async (reply: FastifyReply, html: string, back: string | undefined): Promise<void> => {
  // Browsers hold a form to `form-action` also where its answer redirects.
  const formAction = back === undefined ? "'self'" : `'self' ${new URL(back).origin}`;
  await reply
    .headers({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none'; style-src 'unsafe-inline'; form-action ${formAction}; base-uri 'none'; frame-ancestors 'none'`,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
    .send(html);
};
