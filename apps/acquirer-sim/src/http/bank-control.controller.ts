import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  bankModesSchema,
  type BankPayout,
  bankPayoutSchema,
  bankReferenceSchema,
  returnBankPayoutSchema,
  type SetBankMode,
  setBankModeSchema,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Answers, InjectConfig, Problem, Public } from '@payflow/service';
import type { z } from 'zod';

import { type AcquirerSimConfig, isControllable } from '../acquirer-sim.config.js';
import { PayOut } from '../application/pay-out.js';
import type { BankName } from '../domain/bank.js';
import { type BankModeRow, deleteBankModes, listBankModes, setBankMode } from '../store/bank-modes.js';
import { bankNamed, payoutOf } from './bank-view.js';

type ModesAnswer = z.infer<typeof bankModesSchema>;
const OK = 200;

/** Steers the bank. Outside demonstrations and tests these routes do not exist. */
@ApiTags('Control')
@Controller('banks/:bank')
export class BankControlController {
  constructor(
    private readonly database: Database,
    private readonly payOut: PayOut,
    @InjectConfig() private readonly config: AcquirerSimConfig,
  ) {}

  @Post('mode')
  @Public()
  @HttpCode(OK)
  @ApiOperation({ summary: 'Treat requests that come next by a mode' })
  @Answers(OK, bankModesSchema, 'The modes that hold now, the widest first.')
  async setBankMode(
    @Param('bank') name: string,
    @Body({ schema: setBankModeSchema }) body: SetBankMode,
  ): Promise<ModesAnswer> {
    const bank = this.controlled(name);
    await setBankMode(this.database, bank, body, new Date());
    return await this.modesOf(bank);
  }

  @Get('mode')
  @Public()
  @ApiOperation({ summary: 'The modes that hold' })
  @Answers(OK, bankModesSchema, 'The modes that hold now, the widest first.')
  async listBankModes(@Param('bank') name: string): Promise<ModesAnswer> {
    return await this.modesOf(this.controlled(name));
  }

  @Delete('mode')
  @Public()
  @HttpCode(OK)
  @ApiOperation({ summary: "Everything by the creditor's account alone again" })
  @Answers(OK, bankModesSchema, 'No modes.')
  async clearBankModes(@Param('bank') name: string): Promise<ModesAnswer> {
    const bank = this.controlled(name);
    await deleteBankModes(this.database, bank);
    return await this.modesOf(bank);
  }

  @Post('payouts/:reference/return')
  @Public()
  @HttpCode(OK)
  @ApiOperation({ summary: 'Have a paid payout come back' })
  @Answers(OK, bankPayoutSchema, 'The payout as it stands.')
  async returnBankPayout(
    @Param('bank') name: string,
    @Param('reference', { schema: bankReferenceSchema }) reference: string,
    @Body({ schema: returnBankPayoutSchema }) { reason }: z.infer<typeof returnBankPayoutSchema>,
  ): Promise<BankPayout> {
    const { row } = await this.payOut.giveBack(this.controlled(name), reference, reason);
    return payoutOf(row);
  }

  private controlled(name: string): BankName {
    if (!isControllable(this.config)) throw new Problem('route_not_found');
    return bankNamed(name);
  }

  private async modesOf(bank: BankName): Promise<ModesAnswer> {
    return { data: (await listBankModes(this.database, bank)).map(modeOf) };
  }
}

const modeOf = (row: BankModeRow): ModesAnswer['data'][number] => ({
  mode: row.mode,
  ...(row.timesLeft === null ? {} : { times: row.timesLeft }),
  ...(row.operation === null ? {} : { operation: row.operation }),
  ...(row.reference === null ? {} : { reference: row.reference }),
  ...(row.latencyMs === null ? {} : { latencyMs: row.latencyMs }),
  createdAt: row.createdAt.toISOString(),
});
