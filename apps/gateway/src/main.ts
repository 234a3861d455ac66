import { runService } from '@payflow/service';

import { GatewayModule } from './gateway.module.js';

await runService({ name: 'gateway', module: GatewayModule });
