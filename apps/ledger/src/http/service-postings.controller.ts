import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import {
  type Principal,
  type ServiceBalances,
  type ServiceBalancesRequest,
  serviceBalancesRequestSchema,
  type ServicePostingResult,
  type ServicePostingsRequest,
  servicePostingsSchema,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Access, Caller } from '@payflow/service';

import { PostForServicesHandler } from '../application/post-for-services.js';
import { balancesOf } from '../store/account-rows.js';

/** The ledger's door for PayFlow's own services. */
@Controller('internal/ledger')
export class ServicePostingsController {
  constructor(
    private readonly database: Database,
    private readonly postForServices: PostForServicesHandler,
  ) {}

  @Post('postings')
  @HttpCode(200)
  @Access('internal', 'ledger:post')
  async postForService(
    @Body({ schema: servicePostingsSchema }) request: ServicePostingsRequest,
    @Caller() principal: Principal,
  ): Promise<{ readonly results: readonly ServicePostingResult[] }> {
    return { results: await this.postForServices.run(request, principal) };
  }

  @Post('balances')
  @HttpCode(200)
  @Access('internal')
  async balancesForService(
    @Body({ schema: serviceBalancesRequestSchema }) { accounts, asOf }: ServiceBalancesRequest,
  ): Promise<ServiceBalances> {
    const balances = await balancesOf(this.database, accounts, asOf === undefined ? null : new Date(asOf));
    return {
      asOf: asOf === undefined ? new Date().toISOString() : new Date(asOf).toISOString(),
      balances: accounts.map(({ code, currency }, index) => ({
        code,
        currency,
        balance: Number(balances[index] ?? 0n),
      })),
    };
  }
}
