import { Controller, Get, Header } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { TEST_BANK_ACCOUNTS, testBankAccountsSchema } from '@payflow/contracts';
import { Answers, Public } from '@payflow/service';
import type { z } from 'zod';

@ApiTags('Test bank accounts')
@Controller('test-bank-accounts')
export class TestBankAccountsController {
  @Get()
  @Public()
  @Header('cache-control', 'public, max-age=3600')
  @ApiOperation({ summary: 'Bank accounts with known outcomes' })
  @Answers(200, testBankAccountsSchema, 'The table.')
  listTestBankAccounts(): z.infer<typeof testBankAccountsSchema> {
    return { data: [...TEST_BANK_ACCOUNTS] };
  }
}
