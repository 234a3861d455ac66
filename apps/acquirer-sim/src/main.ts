import { runService } from '@payflow/service';

import { AcquirerSimModule } from './acquirer-sim.module.js';
import { migrations } from './migrations.js';

await runService({ name: 'acquirer-sim', module: AcquirerSimModule, migrations });
