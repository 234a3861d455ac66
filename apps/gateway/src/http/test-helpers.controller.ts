import { Body, Controller, HttpCode, type OnApplicationShutdown, Post } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { ServiceClient } from '@payflow/clients';
import {
  type TestAcquirerMode,
  testAcquirerModeSchema,
  type TestBankMode,
  testBankModeSchema,
  type TestDispute,
  testDisputeSchema,
  testHelperAnswerSchema,
  type TestPayoutReturn,
  testPayoutReturnSchema,
} from '@payflow/contracts';
import { Access, Answers, InjectConfig, Problem } from '@payflow/service';
import type { z } from 'zod';

import type { GatewayConfig } from '../gateway.config.js';

type Told = z.infer<typeof testHelperAnswerSchema>;

const TIMEOUT_MS = 10_000;
const TOLD = 'What the simulator says.';

/**
 * A few of the simulator's controls, for staff of a demo: what it takes to see a dispute, a failed refund or a payout that
 * comes back. Outside demo mode the routes are not there; the simulator looks for itself once more.
 */
@Controller('test-helpers')
export class TestHelpersController implements OnApplicationShutdown {
  private readonly simulator: ServiceClient;

  constructor(@InjectConfig() private readonly config: GatewayConfig) {
    this.simulator = new ServiceClient({ service: 'acquirer-sim', url: config.ACQUIRER_SIM_URL, connectionsMax: 4 });
  }

  @Post('acquirer-mode')
  @HttpCode(200)
  @Access('operations:write')
  @ApiOperation({
    summary: 'Have an acquirer treat its next operations by a mode: declines, silence, failed refunds. Demo only',
  })
  @Answers(200, testHelperAnswerSchema, TOLD)
  async setTestAcquirerMode(
    @Body({ schema: testAcquirerModeSchema }) { acquirer, ...mode }: TestAcquirerMode,
  ): Promise<Told> {
    return await this.tell(`/acquirers/${acquirer}/mode`, mode);
  }

  @Post('bank-mode')
  @HttpCode(200)
  @Access('operations:write')
  @ApiOperation({ summary: 'Have the bank treat its next requests by a mode. Demo only' })
  @Answers(200, testHelperAnswerSchema, TOLD)
  async setTestBankMode(@Body({ schema: testBankModeSchema }) { bank, ...mode }: TestBankMode): Promise<Told> {
    return await this.tell(`/banks/${bank}/mode`, mode);
  }

  @Post('disputes')
  @HttpCode(200)
  @Access('operations:write')
  @ApiOperation({ summary: 'Have the payer dispute a payment. Demo only' })
  @Answers(200, testHelperAnswerSchema, TOLD)
  async raiseTestDispute(@Body({ schema: testDisputeSchema }) { acquirer, ...dispute }: TestDispute): Promise<Told> {
    return await this.tell(`/acquirers/${acquirer}/disputes`, dispute);
  }

  @Post('payout-returns')
  @HttpCode(200)
  @Access('operations:write')
  @ApiOperation({ summary: 'Have a paid payout come back from the bank. Demo only' })
  @Answers(200, testHelperAnswerSchema, TOLD)
  async returnTestPayout(
    @Body({ schema: testPayoutReturnSchema }) { bank, payoutId, reason }: TestPayoutReturn,
  ): Promise<Told> {
    return await this.tell(`/banks/${bank}/payouts/${encodeURIComponent(payoutId)}/return`, { reason });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.simulator.close();
  }

  private async tell(path: string, body: unknown): Promise<Told> {
    if (!this.config.DEMO_MODE) throw new Problem('route_not_found');
    const request = { method: 'POST', path, body, timeoutMs: TIMEOUT_MS, answer: testHelperAnswerSchema } as const;
    return await this.simulator.request(request);
  }
}
