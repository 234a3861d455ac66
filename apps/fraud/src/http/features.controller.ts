import { Controller, HttpCode, Post } from '@nestjs/common';
import { Access } from '@payflow/service';

import { RebuildFeatures } from '../application/rebuild-features.js';

/** For an operator beside the service, after counts were lost or are doubted. */
@Controller('internal/fraud/features')
export class FeaturesController {
  constructor(private readonly features: RebuildFeatures) {}

  @Post('rebuild')
  @HttpCode(200)
  @Access('operations:write')
  async rebuildFeatures(): Promise<{ readonly events: number }> {
    return { events: await this.features.run() };
  }
}
