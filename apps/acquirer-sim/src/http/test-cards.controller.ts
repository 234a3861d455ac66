import { Controller, Get, Header } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { TEST_CARDS, testCardsSchema } from '@payflow/contracts';
import { Answers, Public } from '@payflow/service';
import type { z } from 'zod';

@ApiTags('Test cards')
@Controller('test-cards')
export class TestCardsController {
  @Get()
  @Public()
  @Header('cache-control', 'public, max-age=3600')
  @ApiOperation({ summary: 'Card numbers with known outcomes' })
  @Answers(200, testCardsSchema, 'The table.')
  listTestCards(): z.infer<typeof testCardsSchema> {
    return { data: [...TEST_CARDS] };
  }
}
