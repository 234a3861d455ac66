import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  acquirerModesSchema,
  replayedWebhooksSchema,
  replayWebhooksSchema,
  type SetAcquirerMode,
  setAcquirerModeSchema,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Answers, InjectConfig, Problem, Public } from '@payflow/service';
import type { z } from 'zod';

import { type AcquirerSimConfig, isControllable } from '../acquirer-sim.config.js';
import { Modes } from '../application/modes.js';
import { SendWebhooks } from '../application/send-webhooks.js';
import type { AcquirerName } from '../domain/acquirers.js';
import type { ModeRow } from '../store/modes.js';
import { replayWebhooks } from '../store/webhooks.js';
import { acquirerNamed } from './acquirer-parameter.js';

type ModesAnswer = z.infer<typeof acquirerModesSchema>;
type ReplayRequest = z.infer<typeof replayWebhooksSchema>;

/** Steers the simulator. Outside demonstrations and tests these routes do not exist. */
@ApiTags('Control')
@Controller('acquirers/:acquirer')
export class ControlController {
  constructor(
    private readonly database: Database,
    private readonly modes: Modes,
    private readonly sender: SendWebhooks,
    @InjectConfig() private readonly config: AcquirerSimConfig,
  ) {}

  @Post('mode')
  @Public()
  @HttpCode(200)
  @ApiOperation({ summary: 'Treat operations that come next by a mode' })
  @Answers(200, acquirerModesSchema, 'The modes that hold now, the widest first.')
  async setAcquirerMode(
    @Param('acquirer') name: string,
    @Body({ schema: setAcquirerModeSchema }) body: SetAcquirerMode,
  ): Promise<ModesAnswer> {
    const acquirer = this.controlled(name);
    await this.modes.set(acquirer, body);
    return await this.modesOf(acquirer);
  }

  @Get('mode')
  @Public()
  @ApiOperation({ summary: 'The modes that hold' })
  @Answers(200, acquirerModesSchema, 'The modes that hold now, the widest first.')
  async listAcquirerModes(@Param('acquirer') name: string): Promise<ModesAnswer> {
    return await this.modesOf(this.controlled(name));
  }

  @Delete('mode')
  @Public()
  @HttpCode(200)
  @ApiOperation({ summary: 'Everything by the card alone again' })
  @Answers(200, acquirerModesSchema, 'No modes.')
  async clearAcquirerModes(@Param('acquirer') name: string): Promise<ModesAnswer> {
    const acquirer = this.controlled(name);
    await this.modes.clear(acquirer);
    return await this.modesOf(acquirer);
  }

  @Post('webhooks/replay')
  @Public()
  @HttpCode(202)
  @ApiOperation({ summary: 'Send webhooks of the past again' })
  @Answers(202, replayedWebhooksSchema, 'They are on their way.')
  async replayAcquirerWebhooks(
    @Param('acquirer') name: string,
    @Body({ schema: replayWebhooksSchema }) body: ReplayRequest,
  ): Promise<z.infer<typeof replayedWebhooksSchema>> {
    const acquirer = this.controlled(name);
    const { reference = null, all, ...how } = body;
    if ((reference === null) === (all === undefined)) {
      throw new Problem('validation_failed', { detail: 'Name either a reference or all.' });
    }
    const queued = await replayWebhooks(this.database, { acquirer, reference, ...how, at: new Date() });
    this.sender.poke();
    return { queued };
  }

  private controlled(name: string): AcquirerName {
    if (!isControllable(this.config)) throw new Problem('route_not_found');
    return acquirerNamed(name);
  }

  private async modesOf(acquirer: AcquirerName): Promise<ModesAnswer> {
    return { data: (await this.modes.list(acquirer)).map(modeOf) };
  }
}

const modeOf = ({
  mode,
  operation,
  paymentId,
  latencyMs,
  timesLeft,
  createdAt,
}: ModeRow): ModesAnswer['data'][number] => ({
  mode,
  ...(timesLeft === null ? {} : { times: timesLeft }),
  ...(operation === null ? {} : { operation }),
  ...(paymentId === null ? {} : { paymentId }),
  ...(latencyMs === null ? {} : { latencyMs }),
  createdAt: createdAt.toISOString(),
});
