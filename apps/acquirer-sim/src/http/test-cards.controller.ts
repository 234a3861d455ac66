import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { TEST_CARDS, testCardsSchema } from '@payflow/contracts';
import { Public } from '@payflow/service';
import type { z } from 'zod';

@ApiTags('Test cards')
@Controller('test-cards')
export class TestCardsController {
  @Get()
  @Public()
  @Header('cache-control', 'public, max-age=3600')
  @ApiOperation({ operationId: 'listTestCards', summary: 'Card numbers with known outcomes' })
  @ApiOkResponse({ standardSchema: testCardsSchema })
  list(): z.infer<typeof testCardsSchema> {
    return { data: [...TEST_CARDS] };
  }
}
